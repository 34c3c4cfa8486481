"""Requests made up from the OpenAPI document, good ones and bad ones, as an operator, a team, a recipient: no
answer is an error of the server's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from tests.api.sharing import Sharing
from tests.api.world import serving

PROGRAM = Path(sys.executable).with_name("schemathesis")
# These wait for news, or end when the client does.
WAITING = r"/events$|/logs$|/logs/|/tunnels|/agent/desired$|/agent/sessions$"
ROWS = pa.table({"id": [1, 2, 3]})


def run(folder: Path, who: str, phases: str, examples: int, seconds: int) -> None:
    world = Sharing(folder)
    world.share(world.offer("rain", world.parquet("rain", ROWS)), share="weather")
    with serving(world.app) as address, world.making():
        secret = world.profile("anna")["bearerToken"] if who == "recipient" else world.secrets[who]
        asked = [
            str(PROGRAM), "run", f"{address}/openapi.json",
            "--header", f"Authorization: Bearer {secret}",
            "--checks", "not_a_server_error",
            "--phases", phases,
            "--max-examples", str(examples),
            "--seed", "1",
            "--generation-database", "none",
            "--suppress-health-check", "all",
            "--exclude-path-regex", WAITING,
            "--request-timeout", "60",
            "--continue-on-failure",
            "--warnings", "off",
            "--no-color",
        ]  # fmt: skip
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    world.close()
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["operator", "team", "recipient"])
def test_no_request_breaks_the_server(tmp_path: Path, who: str):
    run(tmp_path, who, "examples,fuzzing", 2, 500)


@pytest.mark.campaign
@pytest.mark.parametrize("who", ["operator", "team", "recipient"])
def test_many_requests_do_not_break_the_server(tmp_path: Path, who: str):
    run(tmp_path, who, "examples,coverage,fuzzing", 60, 3_600)
