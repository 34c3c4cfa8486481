"""The plan: image, waiting jobs, policy and shares in; who runs where, who makes room and who waits, with
reasons, out. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baygrid.core.placement.backlog import Backlog, Kind
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image
from baygrid.core.placement.nearest import nearest
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.search import STANDARD, Floors, Search
from baygrid.core.placement.share import Capacity, Shares, dominant
from baygrid.core.placement.turn import Turns
from baygrid.core.reasons import Explanation, Reason


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job goes to these nodes (none named: the centre's own scheduler chooses `count` of them).
    `accelerators` of model `accelerator` on each node. `cost_minor`: what it costs at most, in minor units of
    the offer's currency."""

    job: str
    centre: str
    partition: str
    offer: str
    nodes: tuple[str, ...]
    count: int
    accelerator: str | None
    accelerators: int
    cost_minor: int
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Preemption:
    """This attempt is to stop, for `job`."""

    attempt: str
    job: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Kept:
    """A place is kept for a blocked job: it starts there at `start` (ms) at the latest."""

    job: str
    centre: str
    partition: str
    start: int
    nodes: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """`assignments` in the order of their turns. `waiting`: jobs that had their turn and stay in the queue,
    and why; those that were not looked at would have to wait too."""

    assignments: tuple[Assignment, ...]
    preemptions: tuple[Preemption, ...]
    kept: tuple[Kept, ...]
    waiting: Mapping[str, Explanation]


def plan(image: Image, backlog: Backlog, policy: Policy, shares: Shares, now: int) -> Plan:
    """Place what fits, in the order of turns. Equal inputs give equal plans."""
    floors = Floors(image)
    searches: dict[Kind, Search] = {}
    assignments: list[Assignment] = []
    waiting: dict[str, Explanation] = {}
    capacity = Capacity.of(image, policy)
    kinds = set(backlog.kinds.values())
    turns = Turns(backlog, shares, policy, kinds)
    while (turn := turns.next()) is not None:
        job, line = turn
        search = searches.get(line.kind)
        if search is None:
            search = searches[line.kind] = Search(image, line.kind.example, STANDARD, floors)
        taken = search.take()
        if taken is None:
            waiting[job] = search.explanation()
            kinds.discard(line.kind)
            continue
        it, nodes = taken
        assert it.offer is not None  # `unpriced` keeps the others out
        demand = line.kind.example
        share = dominant(
            capacity,
            demand.cpus * len(nodes),
            demand.memory_mib * len(nodes),
            {it.accelerator: 1000 * it.accelerators * len(nodes)} if it.accelerator else None,
        )
        turns.charge(share * demand.time_s * shares.scale(now))
        assignments.append(
            Assignment(
                job,
                *it.where,
                it.offer.id,
                nodes,
                len(nodes),
                it.accelerator,
                it.accelerators,
                it.cost_minor,
                search.explanation(),
            )
        )
    return Plan(tuple(assignments), (), (), waiting)


def explain(
    image: Image, demand: Demand, policy: Policy, shares: Shares, backlog: Backlog, now: int
) -> Explanation:
    """What stands between one demand and each candidate now, if it were the next to be placed."""
    return Search(image, demand, STANDARD, Floors(image)).full_table()


def impossible(image: Image, demand: Demand) -> Explanation | None:
    """None where waiting may help; else why it cannot, and the nearest demand that would fit. Looks at totals
    only."""
    return nearest(image, demand, STANDARD)
