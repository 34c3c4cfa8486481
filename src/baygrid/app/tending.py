"""A centre as its operator looks at it: what of each node is taken, what runs there, and what ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from baygrid.app.access import Action, Actor, permit
from baygrid.app.centres import find
from baygrid.app.platform import Platform
from baygrid.ports.messages import NodeReport
from baygrid.ports.records import AttemptRecord, CentreRecord, JobRecord
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Run:
    """An attempt at the centre, and the job that it is one of."""

    attempt: AttemptRecord
    job: JobRecord


@dataclass(frozen=True, slots=True)
class NodeUse:
    """A node with what live attempts have of it: cpus, MiB of memory, accelerators by model (of a shared one
    its part), and how many they are."""

    partition: str
    node: NodeReport
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, Fraction]
    attempts: int


@dataclass(frozen=True, slots=True)
class AtWork:
    """`runs`: what has not ended, the newest first; of those that wait for the centre's own scheduler nobody
    knows yet on which nodes."""

    centre: CentreRecord
    nodes: tuple[NodeUse, ...]
    runs: tuple[Run, ...]


def at_work(platform: Platform, actor: Actor, centre: str) -> AtWork:
    """Raises NotFound, Forbidden."""
    permit(actor, Action.WATCH, centre=centre)
    with platform.follower.lock:
        known = platform.follower.catch_up(platform.clock())
        live = [it for it in known.live.values() if it.centre == centre and not it.state.final]
    live.sort(key=lambda it: it.id, reverse=True)

    def load(tx: Tx) -> AtWork:
        record = find(tx, centre)
        nodes = [_use(part.name, node, live) for part in record.inventory for node in part.nodes]
        return AtWork(record, tuple(nodes), tuple(_runs(tx, live)))

    return platform.store.read(load)


def lately(platform: Platform, actor: Actor, centre: str, before: str | None, limit: int) -> list[Run]:
    """What was placed there, the newest first, and what became of it; beyond the attempt `before`. Raises
    NotFound, Forbidden."""
    permit(actor, Action.WATCH, centre=centre)

    def load(tx: Tx) -> list[Run]:
        find(tx, centre)
        return _runs(tx, tx.attempts.at(centre, before, limit))

    return platform.store.read(load)


def _runs(tx: Tx, attempts: Iterable[AttemptRecord]) -> list[Run]:
    found = list(attempts)
    jobs = tx.jobs.get(sorted({it.job for it in found}))
    return [Run(it, jobs[it.job]) for it in found]


def _use(partition: str, node: NodeReport, live: Iterable[AttemptRecord]) -> NodeUse:
    """Several ranks of a gang may be on one node: each counts."""
    cpus = memory_mib = count = 0
    accelerators = dict.fromkeys(node.accelerators, Fraction(0))
    for it in live:
        ranks = it.nodes.count(node.name) if it.partition == partition else 0
        cpus += ranks * it.cpus
        memory_mib += ranks * it.memory_mib
        count += bool(ranks)
        if ranks and it.accelerator in accelerators:
            accelerators[it.accelerator] += Fraction(ranks * it.accelerators * it.accelerator_share, 1000)
    return NodeUse(partition, node, cpus, memory_mib, accelerators, count)
