"""The plan: image, queue and policy in; assignments and reasons out. Nothing is changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image
from baygrid.core.placement.nearest import nearest
from baygrid.core.placement.search import STANDARD, Floors, Policy, Search
from baygrid.core.reasons import Explanation


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job goes to these nodes. `accelerators` of model `accelerator` on each node. `cost_minor`: what it
    costs at most, in minor units of the offer's currency."""

    job: str
    centre: str
    partition: str
    offer: str
    nodes: tuple[str, ...]
    accelerator: str | None
    accelerators: int
    cost_minor: int
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Plan:
    """`waiting`: jobs that stay in the queue, and why."""

    assignments: tuple[Assignment, ...]
    waiting: Mapping[str, Explanation]


def plan(image: Image, queue: Sequence[Demand], policy: Policy = STANDARD) -> Plan:
    """Place the queue in its order on what is free; a job that has to wait blocks no other.

    Equal inputs give equal plans. Explanations are shared by all jobs of a shape that came out alike.
    """
    floors = Floors(image)
    searches: dict[Hashable, Search] = {}
    assignments: list[Assignment] = []
    waiting: dict[str, Explanation] = {}
    for demand in queue:
        search = searches.get(demand.shape)
        if search is None:
            search = searches[demand.shape] = Search(image, demand, policy, floors)
        taken = search.take()
        if taken is None:
            waiting[demand.job] = search.explanation()
            continue
        it, nodes = taken
        assert it.offer is not None  # `unpriced` keeps the others out
        centre, partition = it.where
        assignments.append(
            Assignment(
                demand.job,
                centre,
                partition,
                it.offer.id,
                nodes,
                it.accelerator,
                it.accelerators,
                it.cost_minor,
                search.explanation(),
            )
        )
    return Plan(tuple(assignments), waiting)


def explain(image: Image, demand: Demand, policy: Policy = STANDARD) -> Explanation:
    """What stands between one demand and each candidate now, if it were the next to be placed."""
    return Search(image, demand, policy, Floors(image)).full_table()


def impossible(image: Image, demand: Demand, policy: Policy = STANDARD) -> Explanation | None:
    """None where waiting may help; else why it cannot, and the nearest demand that would fit. Looks at totals
    only."""
    return nearest(image, demand, policy)
