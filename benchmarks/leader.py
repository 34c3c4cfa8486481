"""The leader with a long queue in its store: how long it takes to begin, one planning cycle with its commits,
and from a job's arrival to its place. 200 centres, 5,000 shapes, 2,000 users, SQLite on a disk.

The region is full; in every round attempts end and as many urgent jobs arrive, which the cycle then places.
"""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from baygrid.app.catalogue import Catalogue
from baygrid.app.platform import Platform
from baygrid.app.scheduler import Scheduler
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.jobs.spec import parse, to_document
from baygrid.core.pricing.tariff import Tariff
from baygrid.ports.messages import NodeReport, PartitionReport
from baygrid.ports.records import (
    CentreRecord,
    Event,
    JobRecord,
    Kind,
    Offer,
    Organisation,
    PolicyRecord,
    Project,
    Want,
)
from baygrid.ports.store import Store, Tx
from baygrid.store import open_store
from baygrid.store.objects import open_objects
from baygrid.store.uploads import FolderUploads
from baygrid.wiring.ids import RandomIds

T = TypeVar("T")
JOBS: Final = 1_000_000
CENTRES, NODES, SHAPES, USERS, PROJECTS = 200, 20, 5_000, 2_000, 100
ROUNDS, ENDING = 60, 20
AT_ONCE: Final = 5_000
HOLD: Final = 10_000_000
MODELS: Final = ("H100", "A100", "Ascend910B", "L40S")


class Region:
    """A store with a region in it, and the scheduler that leads it; its clock stands."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.now = 2_000_000
        self._rng = Random(1)
        self._made = 0
        self.store: Store = open_store(f"sqlite:///{folder}/region.sqlite")
        self.store.write(self._found)
        self._shapes = [self._shape() for _ in range(SHAPES)]
        for start in range(0, jobs, AT_ONCE):
            self.submit(min(AT_ONCE, jobs - start))
        objects, uploads = open_objects(f"file://{folder}/objects"), FolderUploads(folder / "uploads")
        self.platform = Platform(
            self.store, objects, uploads, lambda: self.now, RandomIds(), Catalogue(), ("local",)
        )
        self.scheduler = Scheduler(self.platform, "benchmark")

    def _found(self, tx: Tx) -> None:
        document = {"queues": {"default": {"up_to": "urgent"}}}
        tx.policies.insert(PolicyRecord("policy-1", 0, 0, "operator", document))
        tx.region.insert_organisation(Organisation("acme", Kind.COMPANY, "Acme"))
        for number in range(PROJECTS):
            tx.region.insert_project(Project(f"project-{number}", "acme", "CNY", 10**17))
        for number in range(CENTRES):
            name, model = f"centre-{number}", MODELS[number % len(MODELS)]
            tx.region.insert_centre(CentreRecord(name, "CN-QH", "local", seen_at=self.now))
            nodes = tuple(NodeReport(f"node-{n}", 96, 768 * 1024, {model: 8}) for n in range(NODES))
            tx.region.set_inventory(name, (PartitionReport("gpu", nodes),), name, "key")
            price = Tariff(0, "CNY", Fraction(self._rng.randint(10, 40)), Fraction(1, 2), Fraction(1, 20))
            tx.region.insert_offer(Offer(f"{name}-gpu", name, "gpu", model, "CNY", (price,)))

    def _shape(self) -> dict[str, Any]:
        rng = self._rng
        asked = {
            "cpus": rng.randint(1, 32),
            "memory": rng.randint(1, 128),
            "accelerators": f"{rng.choice(MODELS)}:{rng.choice([1, 2, 4, 8])}",
        }
        time_s = f"{rng.randint(1, 48)}h"
        return to_document(
            parse({"name": "job", "project": "p", "run": "true", "time": time_s, "resources": asked})
        )

    def submit(self, count: int, priority: str = "normal") -> list[str]:
        rows = []
        for _ in range(count):
            self._made += 1
            project = f"project-{self._made % PROJECTS}"
            shape = self._rng.choice(self._shapes)
            rows.append(
                JobRecord(
                    id=f"job-{self._made:026d}",
                    project=project,
                    name="job",
                    state=JobState.QUEUED,
                    spec={**shape, "project": project, "name": f"job-{self._made}", "priority": priority},
                    submitted_at=self._made,
                    submitted_by=f"user-{self._made % USERS}",
                    currency="CNY",
                    hold=HOLD,
                    asked=HOLD,
                )
            )

        def apply(tx: Tx) -> None:
            tx.jobs.insert(rows)
            for number in range(PROJECTS):
                held = HOLD * sum(row.project == f"project-{number}" for row in rows)
                tx.money.move(f"project-{number}", held=held)
            tx.events.append([Event(self.now, "job-submitted", row.project, row.id) for row in rows])

        self.store.write(apply)
        return [row.id for row in rows]

    def end(self, count: int) -> None:
        """So many attempts are over."""
        live = self.platform.follower.region.live
        over = self._rng.sample(sorted(live), min(count, len(live)))

        def apply(tx: Tx) -> None:
            attempts = tx.attempts.get(over).values()
            ended = replace_all(attempts, state=AttemptState.CANCELLED, want=Want.NOTHING, ended_at=self.now)
            tx.attempts.update(ended)
            jobs = tx.jobs.get([attempt.job for attempt in attempts]).values()
            tx.jobs.update(replace_all(jobs, state=JobState.CANCELLED))
            tx.events.append(
                [Event(self.now, "attempt-cancelled", a.project, a.job, a.id, a.centre) for a in attempts]
            )

        self.store.write(apply)

    def heard_from_all(self) -> None:
        for number in range(CENTRES):
            self.store.write(
                lambda tx, number=number: tx.region.take_report(f"centre-{number}", 1, self.now, self.now)  # type: ignore[misc]
            )


def replace_all(rows: Iterable[T], **fields: object) -> list[T]:
    return [replace(row, **fields) for row in rows]  # type: ignore[type-var]


def measure(jobs: int = JOBS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Region(Path(folder), jobs))


def _measure(region: Region) -> dict[str, Any]:
    began = time.process_time()
    waiting = region.platform.follower
    region.heard_from_all()
    cycles = [_step(region)]
    loaded = time.process_time() - began
    while len(waiting.region.live) > sum(placed for placed, _, _ in cycles[:-1]) and cycles[-1][0]:
        cycles.append(_step(region))
    gc.collect()
    rounds, arrived = [], []
    for _ in range(ROUNDS):
        region.now += 1
        region.end(ENDING)
        came = time.perf_counter()
        new = set(region.submit(ENDING, "high"))
        rounds.append(_step(region))
        placed = new - {demand.job for demand in waiting.region.backlog}
        arrived += [time.perf_counter() - came] * len(placed)
    cpu = sorted(seconds for _, seconds, _ in rounds)
    wall = sorted(seconds for _, _, seconds in rounds)
    arrived.sort()
    return {
        "waiting": len(waiting.region.backlog),
        "begin_cpu_s": round(loaded, 1),
        "filled_with": len(waiting.region.live),
        "cycle_cpu_s_p50": round(cpu[len(cpu) // 2], 3),
        "cycle_cpu_s_max": round(cpu[-1], 3),
        "cycle_wall_s_p50": round(wall[len(wall) // 2], 3),
        "placed_per_cycle": round(sum(placed for placed, _, _ in rounds) / len(rounds), 1),
        "arrival_to_placed_s_p50": round(arrived[len(arrived) // 2], 3) if arrived else None,
        "arrival_to_placed_s_p99": round(arrived[int(len(arrived) * 0.99)], 3) if arrived else None,
        "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _step(region: Region) -> tuple[int, float, float]:
    """Jobs placed, processor seconds, seconds."""
    live = len(region.platform.follower.region.live)
    cpu, wall = time.process_time(), time.perf_counter()
    region.scheduler.step(region.now)
    placed = len(region.platform.follower.region.live) - live
    return placed, time.process_time() - cpu, time.perf_counter() - wall
