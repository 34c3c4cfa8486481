"""Who works in the simulated region, and what they ask for: drawn from the seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random
from typing import Any

from baygrid.ports.messages import NodeReport
from baygrid.sim.machine import Command

PROJECTS = ("alpha", "beta")
ENDLESS = "1h"
RETRIED = ("interruption", "lost", "error")
CHAOS_MS = 110_000
MAX_PENDING = 3
"""Attempts that wait in a centre's own queue,"""
PATIENCE = "6s"
"""and for how long, if they could start elsewhere."""
NOTICE_MS = 33_000
"""For new prices: shorter than a real region's, since a history is short, and its clocks are off by less."""


@dataclass(frozen=True, slots=True)
class CentrePlan:
    """A centre and its price: major units an hour. `own_queue`: it schedules itself."""

    name: str
    jurisdiction: str
    nodes: tuple[NodeReport, ...]
    accelerator: str | None
    accelerator_hour: str
    cpu_hour: str
    gib_hour: str
    own_queue: bool = False

    @property
    def offers(self) -> tuple[str | None, ...]:
        return (None,) if self.accelerator is None else (None, self.accelerator)


@dataclass(frozen=True, slots=True)
class JobPlan:
    """One submission: when, what, and what happens to it later. Times in ms after the beginning."""

    key: str
    project: str
    at: int
    documents: tuple[dict[str, Any], ...]
    cancel_at: int | None
    blob: str | None


def centres(own_queue: bool = False) -> tuple[CentrePlan, ...]:
    """Five small centres, so that jobs compete for room; the cheapest may have a queue of its own."""

    def nodes(count: int, cpus: int, gib: int, **accelerators: int) -> tuple[NodeReport, ...]:
        return tuple(NodeReport(f"n{n}", cpus, gib * 1024, accelerators) for n in range(1, count + 1))

    return (
        CentrePlan("qh-one", "CN-QH", nodes(1, 8, 32), None, "0", "12", "0.5"),
        CentrePlan("qh-gpu", "CN-QH", nodes(2, 8, 64, H100=2), "H100", "300", "20", "1"),
        CentrePlan("hk-two", "HK", nodes(2, 4, 16), None, "0", "15", "0.5"),
        CentrePlan("hk-gpu", "HK", nodes(1, 8, 32, A100=4), "A100", "150", "25", "1"),
        CentrePlan("sz-four", "CN-SZ", nodes(4, 4, 16), None, "0", "10", "0.25", own_queue),
    )


def jobs(rng: Random, count: int) -> list[JobPlan]:
    """`count` jobs, some of them sent together."""
    plans: list[JobPlan] = []
    left = count
    rushes = [rng.randrange(500, CHAOS_MS * 3 // 4) for _ in range(rng.choice((1, 2, 4)))]
    while left:
        size = min(left, rng.choice((1, 1, 1, 1, 2, 3)))
        project = rng.choice(PROJECTS)
        begin = rng.choice(rushes) + int(rng.expovariate(1 / 3_000))
        blob = f"workdir {len(plans)}" if rng.random() < 0.2 else None
        cancel = begin + rng.randrange(rng.choice((2_000, 60_000))) if rng.random() < 0.4 else None
        documents = tuple(_document(rng, count - left + n, project, blob) for n in range(size))
        plans.append(JobPlan(f"key-{len(plans)}", project, begin, documents, cancel, blob))
        left -= size
    return sorted(plans, key=lambda plan: (plan.at, plan.key))


def _document(rng: Random, number: int, project: str, blob: str | None) -> dict[str, Any]:
    gang = rng.random() < 0.25
    cpus = rng.choice((2, 4, 4)) if gang else rng.choice((1, 2, 4, 4, 8))
    document: dict[str, Any] = {
        "name": f"job-{number}",
        "project": project,
        "nodes": 2 if gang else 1,
        "resources": {"cpus": cpus, "memory": rng.choice((2, 4, 8))},
    }
    document |= _length(rng)
    kind = rng.random()
    if kind < 0.2:
        document["resources"]["accelerators"] = (
            "H100:2" if gang else rng.choice(("H100:1", "H100:2", "A100:2", "H100:1", "A100:1"))
        )
    elif kind < 0.4:
        document["infra"] = "hk-two" if gang else rng.choice(("qh-one", {"ordered": ["sz-four", "qh-one"]}))
    elif kind < 0.5:
        document["data"] = {"residency": ["HK"]}
    if rng.random() < 0.2:
        document["budget"] = {"max_cost": rng.choice(("2 CNY", "8 CNY", "30 CNY"))}
    if rng.random() < 0.25:
        document["lost_after"] = rng.choice(("31s", "40s"))
    if rng.random() < 0.25:
        document["retry"] = {"on": rng.sample(RETRIED, rng.choice((1, 2, 3))), "max": rng.choice((1, 2, 3))}
    if rng.random() < 0.1:
        size = rng.choice((2, 3, 5))
        document["array"] = {"range": f"0-{size - 1}", "parallel": rng.choice((1, 2, size))}
    if rng.random() < 0.7:
        document["checkpoint"] = {"signal": "USR1", "grace": rng.choice((2, 10, 40)), "path": "ckpt"}
    if blob is not None:
        document["workdir"] = f"blob:{sha256_of(blob)}"
    if rng.random() < 0.15:
        document["outputs"] = {"out": "out"}
    return document


def _length(rng: Random) -> dict[str, Any]:
    """How long it may run and how long it does: well within, over its time, or until somebody cancels it."""
    kind = rng.random()
    code = rng.choice((0, 0, 0, 1, 7))
    deaf = rng.random() < 0.2
    if kind < 0.1:
        return {"time": ENDLESS, "run": Command(7_200_000, code, deaf).text}
    if kind < 0.25:
        limit = rng.randrange(3, 12)
        return {"time": limit, "run": Command(limit * 1000 + rng.randrange(500, 90_000), code, deaf).text}
    takes = rng.randrange(50, 35_000)
    return {"time": takes // 1000 + rng.randrange(15, 60), "run": Command(takes, code, deaf).text}


def is_sound(document: dict[str, Any]) -> bool:
    """Whether it does not fail by itself."""
    command, time = Command.parse(document["run"]), document["time"]
    return command.exit_code == 0 and isinstance(time, int) and command.takes_ms < time * 1000


def funds(rng: Random) -> dict[str, int]:
    """Minor units: sometimes plenty, often too little for everything."""
    return {project: rng.choice((4_000, 12_000, 60_000)) for project in PROJECTS}


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
