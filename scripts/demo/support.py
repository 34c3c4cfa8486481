"""Public support in the demo: three organisations run the same job, vouchers pay their part of two bills."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.demo.region import ROOT, Region, expect
from scripts.demo.texts import Texts

JOB: Final = ROOT / "examples" / "same-job.yaml"
START_UP, UNIVERSITY, INSTITUTE = "company-vision", "university-train", "institute-data"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that pays a share of computing, and what it asks (sample facts)."""

    rulebook: str
    id: str
    facts: Mapping[str, Any]


CITY: Final = Clause("shenzhen-2024", "compute-voucher", {"compute_for_training": True})
EXAMPLE: Final = Clause("example", "compute-share", {})


@dataclass(frozen=True, slots=True)
class Support:
    """What each paid for the same job, as texts, by project; of the start-up also what its voucher paid."""

    paid: Mapping[str, str]
    voucher: str
    clause: str


def support(region: Region, say: Texts, out: Path) -> Support:
    """A pool, two vouchers, three bills."""
    region.screen.scene(say("scene_support"))
    clause = _in_force(region)
    region.screen.say(say("support_about", clause=clause.id, rulebook=clause.rulebook))
    region.show(
        "operator", "pools", "create", "compute", "500000 CNY", "--payer", say("support_payer"),
        "--rulebook", clause.rulebook, "--clause", clause.id,
    )  # fmt: skip
    for kind, project, start_up in (("company", START_UP, True), ("university", UNIVERSITY, False)):
        facts = out / f"facts-{kind}.yaml"
        facts.write_text(yaml.safe_dump(_facts(clause, kind, start_up=start_up)), encoding="utf-8")
        region.show(
            "operator", "vouchers", "issue", facts.name, "--organisation", f"sample-{kind}", "--project",
            project, "--pool", "compute", cwd=out,
        )  # fmt: skip
    file = os.path.relpath(JOB, out)
    region.show(START_UP, "explain", file, "--project", START_UP, cwd=out)
    jobs = {}
    for project in (UNIVERSITY, INSTITUTE, START_UP):
        region.attach(project, "run", file, "--project", project, cwd=out)
        jobs[project] = region.ask(project, "/v1/jobs")[0]["id"]
    bills = {project: region.ask(project, f"/v1/jobs/{job}/bill") for project, job in jobs.items()}
    for project, job in jobs.items():
        region.show(project, "bill", job, "--recompute")
    _check(bills)
    mine = bills[START_UP]
    paid = {project: bill["total"]["text"] for project, bill in bills.items()}
    return Support(paid, mine["supported"]["text"], f"{clause.id} ({clause.rulebook})")


def _in_force(region: Region) -> Clause:
    """The city's clause until its last day. After it nobody is issued a voucher of it: then the demo shows an
    example with invented numbers."""
    file = region.folder / "facts.yaml"
    file.write_text(yaml.safe_dump(_facts(CITY, "company", start_up=True)), encoding="utf-8")
    told = json.loads(region.run(None, "measures", "check", str(file), "--rulebook", CITY.rulebook, "--json"))
    found = next(clause for clause in told["clauses"] if clause["id"] == CITY.id)
    return CITY if found["status"] == "eligible" else EXAMPLE


def _facts(clause: Clause, kind: str, *, start_up: bool) -> dict[str, Any]:
    facts = {
        "start_up": start_up,
        "compute_contract": 20000,
        "compute_contract_name": f"sample contract of the {kind}",
        **clause.facts,
    }
    return facts | ({"applicant_kind": kind} if clause is CITY else {})


def _check(bills: Mapping[str, Any]) -> None:
    """The clause's sixty percent for a start-up, half for a university, nothing for who has no voucher."""
    for project, percent in ((START_UP, 60), (UNIVERSITY, 50), (INSTITUTE, 0)):
        bill = bills[project]
        cost = sum(line["amount"]["minor"] for line in bill["lines"])
        paid = cost * percent // 100
        expect(
            (bill["supported"]["minor"], bill["total"]["minor"]) == (paid, cost - paid),
            f"of {cost} the voucher of {project} should pay {paid}: {bill}",
        )
