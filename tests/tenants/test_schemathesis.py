"""Requests made up from the OpenAPI document, good ones and bad ones, with names of two tenants in them, as
everybody: no answer is an error of the server's own, none tells anything of the other tenant, nothing of that
one changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.world import serving
from tests.tenants.asking import askers, cookie
from tests.tenants.region import Region, Tenant
from tests.tenants.test_acts import of_zircon

KNOWN = "BAYGRID_TEST_TENANTS"
PROGRAM = Path(sys.executable).with_name("schemathesis")
ROOT = Path(__file__).parents[2]
# These wait for news, or end when the client does.
WAITING = r"/events$|/logs$|/logs/|/tunnels|/agent/desired$|/agent/sessions$"
SEEING = ("operator", "operator (browser)", "far", "far (browser)")
"""Who keeps the region, or what runs at a centre, sees whose it is."""
OF_AMBER = (
    "nobody", "reading", "using", "team", "managing", "recipient", "another centre", "lead (browser)",
    "another centre (browser)", "member (browser)", "viewer (browser)", "admin (browser)",
    "colleague (browser)",
)  # fmt: skip


def run(folder: Path, who: str, phases: str, examples: int, seconds: int) -> None:
    region = Region(folder)
    amber, zircon = region.settle("amber", "4410.10"), region.settle("zircon", "7319.42")
    everybody = askers(region, amber) | {
        "operator": region.headers("operator"),
        "far": region.headers("far"),
        **{f"{it} (browser)": cookie(region.sessions[it]) for it in ("operator", "far")},
    }
    known = folder / "known.json"
    secret = [] if who in SEEING else ["zircon", "7319.42", "7,319.42", *ids(zircon)]
    others = {name: it for name, it in zircon.things.items() if name != "link"}  # good for whoever has it
    known.write_text(json.dumps({"canaries": secret, "own": amber.things, "others": others}))
    before = of_zircon(region)
    region.client.get("/openapi.json")  # it takes a while, the first time
    with serving(region.app) as address, region.making():
        asked = [
            str(PROGRAM), "run", f"{address}/openapi.json",
            *(part for name, value in everybody[who].items() for part in ("--header", f"{name}: {value}")),
            "--checks", "not_a_server_error,nothing_of_others",
            "--phases", phases,
            "--max-examples", str(examples),
            "--seed", "1",
            "--generation-database", "none",
            "--suppress-health-check", "all",
            "--exclude-path-regex", WAITING,
            "--request-timeout", "60",
            "--wait-for-schema", "60",
            "--continue-on-failure",
            "--warnings", "off",
            "--no-color",
        ]  # fmt: skip
        settings = {"SCHEMATHESIS_HOOKS": "tests.tenants.hooks", KNOWN: str(known), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            asked, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False,
            env=os.environ | settings,
        )  # fmt: skip
    changed = [name for name, rows in of_zircon(region).items() if who not in SEEING and rows != before[name]]
    region.close()
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert changed == []


def ids(tenant: Tenant) -> list[str]:
    """Those that nobody could make up."""
    return [it for it in tenant.things.values() if re.fullmatch(r"[\w.-]{16,}", it)]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["operator", "managing"])
def test_no_request_breaks_the_server_or_tells_of_others(tmp_path: Path, who: str):
    run(tmp_path, who, "fuzzing", 1, 500)


@pytest.mark.campaign
@pytest.mark.parametrize("who", [*OF_AMBER, *SEEING])
def test_many_requests_do_not_either(tmp_path: Path, who: str):
    run(tmp_path, who, "examples,coverage,fuzzing", 60, 3_600)
