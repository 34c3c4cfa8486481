"""A region as large as the platform is meant for, put into a store: centres, nodes, running, finished jobs.

What is put there is what agents, teams and the scheduler would have made of it over days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from baygrid.app.allocations import Wanted, allot
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.app.tokens import issue
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.jobs.spec import parse, to_document
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport, PartitionReport
from baygrid.ports.records import AttemptRecord, CentreRecord, Event, JobRecord, Offer, Role, Want
from baygrid.ports.store import Tx
from baygrid.ports.wire import inventory_digest
from baygrid.wiring.server import build
from baygrid.wiring.settings import ServerSettings

PROJECT, CURRENCY = "default", "CNY"
JOB = {"name": "work", "project": PROJECT, "run": "true", "time": "1h", "resources": {"cpus": 2, "memory": 4}}
HOLD = 100
HOUR = 3_600_000
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Made:
    """`tokens`: of each centre's agent."""

    folder: Path
    operator: str
    tokens: dict[str, str]


def inventory(centre: str, nodes: int) -> tuple[PartitionReport, ...]:
    """One partition of nodes alike."""
    return (PartitionReport("main", tuple(NodeReport(f"{centre}-n{i}", 8, 65_536) for i in range(nodes))),)


def make(folder: Path, *, centres: int, nodes: int, running: int, finished: int) -> Made:
    """`nodes` of each centre; `running` and `finished` of all together."""
    server = build(ServerSettings(folder, embedded=None))
    try:
        platform, now = server.platform, server.platform.clock()
        names = [f"c{i:03d}" for i in range(centres)]
        tokens = platform.store.write(lambda tx: _centres(platform, tx, names, nodes, now))
        platform.store.write(lambda tx: _money(platform, tx, running, now))
        for n in range(0, finished, BATCH):
            some = range(n, min(n + BATCH, finished))
            platform.store.write(lambda tx, some=some: _finished(tx, names, some, now))
        for n in range(0, running, BATCH):
            some = range(n, min(n + BATCH, running))
            platform.store.write(lambda tx, some=some: _running(tx, names, nodes, some, now))
    finally:
        server.close()
    return Made(folder, (folder / "operator.token").read_text(), tokens)


def _centres(platform: Platform, tx: Tx, names: list[str], nodes: int, now: Instant) -> dict[str, str]:
    tokens = {}
    for name in names:
        tx.region.insert_centre(CentreRecord(name, "CN-QH", "local"))
        parts = inventory(name, nodes)
        tx.region.set_inventory(name, parts, inventory_digest(parts), "")
        tx.region.take_report(name, 1, 1, now)
        tariff = Tariff(now - 100 * HOUR, CURRENCY, Fraction(0), Fraction(1, 5), Fraction(1, 50))
        tx.region.insert_offer(Offer(f"{name}-main", name, "main", None, CURRENCY, (tariff,)))
        tx.region.next_gen(name)
        tokens[name] = issue(platform, tx, Role.CENTRE, None, name, name)[1]
    return tokens


def _money(platform: Platform, tx: Tx, running: int, now: Instant) -> None:
    wanted = Wanted(Money(10**9, CURRENCY), "for the benchmark")
    allot(platform, tx, find_project(tx, PROJECT), wanted, "", now)
    if not tx.money.move(PROJECT, held=running * HOLD):
        raise RuntimeError("there is no money for what runs")


def _pairs(
    kind: str, names: list[str], nodes: int, some: range, at: Instant
) -> Iterator[tuple[JobRecord, AttemptRecord]]:
    spec = to_document(parse(JOB))
    for n in some:
        centre, node = names[n % len(names)], n // len(names) % nodes
        job, attempt = f"job-{at:013d}{kind}{n:06d}", f"att-{at:013d}{kind}{n:06d}"
        yield (
            JobRecord(
                job, PROJECT, "work", JobState.ACTIVE, spec, at, "bench", CURRENCY, HOLD,
                asked=HOLD, attempts=1,
            ),
            AttemptRecord(
                attempt, job, PROJECT, 1, f"token-{kind}{n:06d}", centre, "main", f"{centre}-main",
                (f"{centre}-n{node}",), 1, 2, 4096, None, 0, 30, at, {},
                state=AttemptState.RUNNING, gen=1, started_at=at,
            ),
        )  # fmt: skip


def _running(tx: Tx, names: list[str], nodes: int, some: range, now: Instant) -> None:
    pairs = list(_pairs("r", names, nodes, some, now - 60_000))
    tx.jobs.insert([job for job, _ in pairs])
    tx.attempts.insert([attempt for _, attempt in pairs])


def _finished(tx: Tx, names: list[str], some: range, now: Instant) -> None:
    """Over ten days, so that they are the region's past."""
    at = now - 10 * 24 * HOUR + some.start * 8_000
    pairs = list(_pairs("f", names, 500, some, at))
    tx.jobs.insert(
        [
            replace(job, state=JobState.SUCCEEDED, hold=0, ended_at=at + HOUR // 2, exit_code=0)
            for job, _ in pairs
        ]
    )
    ended = {
        "state": AttemptState.SUCCEEDED,
        "want": Want.NOTHING,
        "ended_at": at + HOUR // 2,
        "exit_code": 0,
    }
    tx.attempts.insert([replace(attempt, **ended) for _, attempt in pairs])
    tx.events.append(
        [
            Event(at + HOUR // 2, "job-succeeded", PROJECT, job.id, attempt.id, attempt.centre)
            for job, attempt in pairs
        ]
    )
