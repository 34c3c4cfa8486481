"""The data service in the demo: a Hong Kong client reads rows of a Qianhai table, then one person more would
cross a line of the law."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from scripts.demo.region import ROOT, Region, expect
from scripts.demo.texts import Texts

OWNER: Final = "institute-data"
READER: Final = "hk-lab"
AGREED: Final = 99_999
"""Persons who agreed (sample): the most whom Provisions 5(4) lets out in a year without a route."""
LINE: Final = "Provisions 8"

_PARTIES: Final[dict[str, dict[str, Any]]] = {
    "sample-institute": {
        "jurisdiction": "cn", "city": "Shenzhen", "registered_in_gba9": True, "ciio": False,
        "state_organ": False,
    },
    "sample-lab": {
        "jurisdiction": "hk", "registered_in_hk_or_gba9": True, "on_art42_list": False,
        "is_foreign_judicial_or_enforcement": False,
    },
}  # fmt: skip
_LABELS: Final = "*=ordinary+domestic+plain,person=personal+subject,name=personal"
_TERMS: Final = {"columns": ["person", "district", "steps"], "masks": {"person": "hash"}, "filter": "agreed"}
_READ: Final = """
import sys, delta_sharing
profile, table = sys.argv[1:]
client = delta_sharing.SharingClient(profile)
print("shares:", [share.name for share in client.list_shares()])
rows = delta_sharing.load_as_pandas(profile + "#" + table)
print(rows.sort_values("person").head(3).to_string(index=False))
print(len(rows), "rows,", rows["person"].nunique(), "persons")
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """How many rows the Hong Kong client read, and what was answered when one person more was asked for."""

    rows: int
    refused: str
    evidence: Path


def border(region: Region, say: Texts, out: Path) -> Shared:
    """Parties, a table, a contract, a real client; the refusal; the audit."""
    region.screen.scene(say("scene_border"))
    region.screen.say(say("border_about"))
    _parties(region, say, out)
    _table(region, out, "walks", 0, AGREED)
    _table(region, out, "one-more", AGREED, 1)
    contract = _requested(region, out, "walks", "walks")
    region.show(OWNER, "contract", "agree", contract)
    region.run(READER, "contract", "verify", contract)
    region.show(OWNER, "contract", "obligations", contract)
    for due in region.ask(OWNER, f"/v1/contracts/{contract}")["obligations"]:
        if due["first"]:
            said = ("--by", "Chan Tai Man", "--reference", f"sample {due['id']}")
            region.run(OWNER, "contract", "record", contract, due["id"], *said)
    region.show(OWNER, "contract", "finalize", contract)
    rows = _read(region, out)
    refused = _one_more(region, say, out)
    evidence = out / "evidence.json"
    evidence.unlink(missing_ok=True)
    region.show(OWNER, "audit", "export", contract, "-o", evidence.name, cwd=out)
    region.show(OWNER, "audit", "verify", evidence.name, cwd=out)
    return Shared(rows, refused, evidence)


def _parties(region: Region, say: Texts, out: Path) -> None:
    lab = ("sample-lab", "--kind", "company", "--title", say("lab"))
    region.show("operator", "organisations", "create", *lab)
    region.run("operator", "projects", "create", READER, "--organisation", "sample-lab", "--grant", "10 CNY")
    region.tokens[READER] = region.ask("operator", "/v1/tokens", {"role": "team", "project": READER})["token"]
    for organisation, facts in _PARTIES.items():
        file = out / f"{organisation}.yaml"
        file.write_text(yaml.safe_dump({"organisation": organisation, "facts": facts}), encoding="utf-8")
        region.show("operator", "party", "set", file.name, cwd=out)


def _table(region: Region, out: Path, name: str, first: int, agreed: int) -> None:
    """Invented persons, of whom so many agreed that what they walked is shared."""
    count = agreed + agreed // 1000
    people = [f"P{first + n:06d}" for n in range(count)]
    rows = pa.table(
        {
            "person": people,
            "name": [f"Sample {person}" for person in people],
            "district": [("Nanshan", "Baoan")[n % 2] for n in range(count)],
            "steps": pa.array([3000 + n * 7919 % 9000 for n in range(count)], pa.int32()),
            "agreed": [n < agreed for n in range(count)],
        }
    )
    pq.write_table(rows, out / f"{name}.parquet")
    sent = ("--from", str(out / f"{name}.parquet"), "--jurisdiction", "CN-QH")
    region.run(OWNER, "datasets", "create", name, *sent)
    shown = region.show if name == "walks" else region.run
    shown(
        OWNER, "table", "add", "--name", name, "--title", f"Steps a day (sample): {name}",
        "--format", "parquet", "--uri", f"dataset:{name}",
    )  # fmt: skip
    shown(OWNER, "table", "labels", name, "--by", "Chan Tai Man", "--confirm", _LABELS)


def _requested(region: Region, out: Path, table: str, share: str) -> str:
    """Requested, offered, accepted: what is left is what the law says. Its id."""
    terms = out / f"terms-{table}.yaml"
    terms.write_text(yaml.safe_dump({f"{OWNER}/{table}": _TERMS}), encoding="utf-8")
    asked = (
        "contract", "request", "--terms", terms.name, "--share", share,
        "--purpose", "a study of walking (sample)", "--ground", "other",
    )  # fmt: skip
    made = json.loads(region.run(READER, *asked, "--json", cwd=out))["id"]
    region.screen.command(["baygrid", *asked])
    region.run(OWNER, "contract", "offer", made)
    region.run(READER, "contract", "accept", made)
    return str(made)


def _read(region: Region, out: Path) -> int:
    """By the protocol's own Python client, in an environment of its own. How many rows it read."""
    link = json.loads(region.run(READER, "recipient", "add", "analyst", "--json"))["url"]
    profile = out / "analyst.share"
    profile.unlink(missing_ok=True)
    region.show(READER, "recipient", "profile", link, "-o", profile.name, cwd=out)
    python = subprocess.run(
        [str(ROOT / "scripts" / "sharing.sh"), "install"], capture_output=True, text=True, check=True
    ).stdout.strip()
    table = f"walks.{OWNER}.walks"
    region.screen.command(["python", "-c", "delta_sharing.load_as_pandas(...)", f"{profile.name}#{table}"])
    done = subprocess.run(
        [python, "-c", _READ, str(profile), table], capture_output=True, text=True, check=False, cwd=out,
        env=region.environment(),
    )  # fmt: skip
    region.screen.output(done.stdout)
    expect(done.returncode == 0, f"the Delta Sharing client could not read: {done.stderr}")
    last = done.stdout.splitlines()[-1]
    expect(last == f"{AGREED} rows, {AGREED} persons", f"the client should see {AGREED} persons: {last}")
    expect("Sample P" not in done.stdout, "a name that is not shared was shown")
    return AGREED


def _one_more(region: Region, say: Texts, out: Path) -> str:
    """Of another table one person more. Why that is not agreed."""
    contract = _requested(region, out, "one-more", "one-more")
    argv = ["contract", "agree", contract]
    region.screen.command(["baygrid", *argv])
    done = region.attempt(OWNER, *argv)
    region.screen.output(done.stdout)
    expect(done.returncode != 0 and LINE in done.stdout, f"{LINE} should stop one person more: {done.stdout}")
    region.screen.say(say("border_refused", article=LINE, persons=f"{AGREED + 1:,}"))
    return LINE
