"""What happens in the demo, scene by scene. Each returns what the tour says of it at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.demo.region import BIN, ROOT, Region, expect, only
from scripts.demo.texts import Texts

EXAMPLES: Final = ROOT / "examples"

# Sample organisations: name, kind, and their project.
PEOPLE: Final = (
    ("company", "company-vision"),
    ("university", "university-train"),
    ("institute", "institute-data"),
)
GRANT: Final = "1000 CNY"
MEASURE_EVERY_S: Final = 20
"""Of the agents' links: more often than usual, so that it has been done before the end."""

# Sample centres: jurisdiction, and virtual nodes, larger than the machine. No accelerator here is real.
CENTRES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "qianhai": (
        "CN-QH",
        ("q1:cpus=16,memory=64", "q2:cpus=16,memory=64", "npu/a1:cpus=64,memory=512,Ascend910B=8"),
    ),
    "hongkong": ("HK", ("h1:cpus=8,memory=128", "gpu/g1:cpus=64,memory=512,H100=8")),
}
# Sample prices an hour, in CNY.
OFFERS: Final[tuple[Mapping[str, str], ...]] = (
    {"centre": "qianhai", "partition": "main", "cpu_hour": "1.00", "gib_hour": "0.05"},
    {"centre": "hongkong", "partition": "main", "cpu_hour": "1.40", "gib_hour": "0.02"},
    {"centre": "hongkong", "partition": "gpu", "accelerator": "H100", "accelerator_hour": "20.00",
     "cpu_hour": "1.40", "gib_hour": "0.02"},
    {"centre": "qianhai", "partition": "npu", "accelerator": "Ascend910B", "accelerator_hour": "6.00",
     "cpu_hour": "1.00", "gib_hour": "0.05"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """What the jobs cost."""

    charged: str
    differences: int
    jobs: int
    bill: Path


@dataclass(frozen=True)
class Exchange:
    """Members; bandwidth and latency of the worst link."""

    members: int
    mbit_s: float
    latency_ms: float


def platform(region: Region, say: Texts, letters: Path) -> None:
    """An empty platform: SQLite in a temporary folder, no centre of its own; `letters` is empty yet."""
    region.screen.scene(say("scene_platform"))
    shutil.rmtree(letters, ignore_errors=True)  # of an earlier demo
    letters.mkdir()
    arguments = ["serve", "--data", str(region.folder / "platform"), "--port", "0", "--no-embedded-centre"]
    arguments += ["--letters", str(letters)]
    region.screen.command(["baygrid", *arguments])
    region.server = region.start("platform", arguments, r"http://[\d.]+:\d+").ready()[0]
    region.tokens["operator"] = (region.folder / "platform" / "operator.token").read_text().strip()
    region.screen.say(say("platform_ready", address=region.server))


def people(region: Region, say: Texts) -> None:
    """One organisation of each kind, with a project, money and a token for its team."""
    region.screen.scene(say("scene_people"))
    for kind, project in PEOPLE:
        name = f"sample-{kind}"
        region.show("operator", "organisations", "create", name, "--kind", kind, "--title", say(kind))
        region.show("operator", "projects", "create", project, "--organisation", name, "--grant", GRANT)
        made = region.ask("operator", "/v1/tokens", {"role": "team", "project": project})
        region.tokens[project] = made["token"]


def centres(region: Region, say: Texts) -> None:
    """Two centres of different sizes and prices, each with an agent of its own."""
    region.screen.scene(say("scene_centres"))
    region.screen.say(say("centres_agents"))
    agents = []
    for name, (jurisdiction, nodes) in CENTRES.items():
        made = region.ask(
            "operator", "/v1/centres", {"name": name, "jurisdiction": jurisdiction, "driver": "local"}
        )
        declared = [*(word for node in nodes for word in ("--node", node)), "--as-me"]
        joining = ["agent", "join", "--centre", name, *declared, "--yes"]
        region.screen.command(["baygrid", *joining, "..."])
        arguments = [*joining, "--state", str(region.folder / name), "--server", region.server]
        arguments += ["--measure-every", str(MEASURE_EVERY_S)]
        token = {"BAYGRID_JOIN_TOKEN": made["join_token"]}
        agents.append(region.start(name, arguments, "agent of ", **token))
    for offer in OFFERS:
        region.ask("operator", "/v1/offers", {"currency": "CNY", **offer})
    for agent in agents:
        agent.ready()
    region.until("centre-joined", set(CENTRES))
    region.show("operator", "centres")
    region.show("operator", "offers")
    region.screen.say(say("centres_pretended"))


def exchange(region: Region) -> Exchange:
    """What the agents have measured of their links meanwhile."""
    region.until("link-measured", set(CENTRES))
    shown = region.ask("operator", "/v1/exchange")
    links = [link["measured"] for link in shown["links"]]
    expect(all(link["mbit_s"] for link in links), f"a link was not measured: {shown}")
    slowest = min(link["mbit_s"] for link in links)
    return Exchange(len(shown["members"]), slowest, max(link["latency_median_ms"] for link in links))


def train(region: Region, say: Texts, out: Path) -> None:
    """The university's job: only one centre has what it needs."""
    region.screen.scene(say("scene_train"))
    file = os.path.relpath(EXAMPLES / "train-h100.yaml", out)
    region.attach("university-train", "run", file, "--project", "university-train", cwd=out)
    job = region.ask("university-train", "/v1/jobs")[0]
    region.screen.say(say("train_why", centre=job["centre"]))
    expect(job["centre"] == "hongkong", f"the H100 job went to {job['centre']}")


def residency(region: Region, say: Texts, out: Path) -> None:
    """The institute's question: where could a job go whose data must stay?"""
    region.screen.scene(say("scene_residency"))
    file = os.path.relpath(EXAMPLES / "residency.yaml", out)
    region.show("institute-data", "explain", file, "--project", "institute-data", cwd=out)
    document = yaml.safe_load((EXAMPLES / "residency.yaml").read_text(encoding="utf-8"))
    asked = document | {"project": "institute-data"}
    found = region.ask("institute-data", "/v1/placements/explain", asked)
    region.screen.say(say("residency_why", centre=found["chosen"]["centre"]))
    refused = {row["centre"] for row in found["candidates"] if row["verdict"] == "no"}
    expect(found["chosen"]["centre"] == "qianhai", "data that must stay in CN-QH would leave it")
    expect("hongkong" in refused, "hongkong was not ruled out by residency")


def money(region: Region, say: Texts, out: Path) -> Money:
    """Both bills computed anew from the signed usage; the ledger checked by another program."""
    region.screen.scene(say("scene_money"))
    differences = 0
    for project in ("company-vision", "university-train"):
        region.show(project, "bill", "--project", project, "--recompute")
        recomputed = region.ask(project, f"/v1/projects/{project}/bill", recompute="true")["recomputed"]
        expect(recomputed["lines"] > 0, f"nothing was charged to {project}")
        differences += len(recomputed["differences"])
    bill, ledger = out / "bill.json", out / "ledger.beancount"
    company = "/v1/projects/company-vision/bill"
    found = region.ask("company-vision", company, recompute="true")
    bill.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    ledger.write_text(region.ask("company-vision", company, format="beancount"), encoding="utf-8")
    exported = ["bill", "--project", "company-vision", "--format", "beancount", ">", ledger.name]
    region.screen.command(["baygrid", *exported])
    region.screen.command(["bean-check", ledger.name])
    checked = subprocess.run(
        [str(BIN / "bean-check"), str(ledger)], capture_output=True, text=True, check=False
    )
    expect(checked.returncode == 0, f"bean-check refuses the ledger: {checked.stdout}{checked.stderr}")
    region.screen.say(say("money_beancheck"))
    region.show("company-vision", "bill", "bundle", "-o", "bundle.json", cwd=out)
    region.show("company-vision", "bill", "verify", "bundle.json", cwd=out)
    region.screen.say(say("money_verified"))
    region.show("operator", "projects")
    projects = region.ask("operator", "/v1/projects")
    charged = [only(projects, name=project)["charged"] for _, project in PEOPLE]
    return Money(_sum(charged), differences, len(region.ask("operator", "/v1/jobs")), bill)


def _sum(amounts: list[dict[str, Any]]) -> str:
    total = sum(amount["minor"] for amount in amounts)
    return f"{total // 100}.{total % 100:02} {amounts[0]['currency']}"
