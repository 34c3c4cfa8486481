"""Every way in which the region could run a demand: each offer with each of the demand's accelerators that it
has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import CentreView, Image, Node, OfferView, Pool
from baygrid.core.placement.queue.quota import amount_of
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.units import Money

GANG: Final = frozenset({"gang"})


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One offer for one demand. `accelerator` and `accelerators` (per node) are what the demand would get.

    `offer` None: a partition without a price. `centre` or `pool` None: not reported yet. `preference`: the
    place of the accelerator in the demand's list, None where the offer has none of them. `fitting`: nodes
    whose totals hold one node of the job, busy or not. `nodes`: what an elastic job could have at most if all
    were free (others: all that it asks for). `cost_minor`: minor units of the offer's currency for the
    demand's full time on them. `share`: thousandths of its one accelerator on each node.
    """

    subject: str
    where: tuple[str, str]
    centre: CentreView | None
    pool: Pool | None
    offer: OfferView | None
    accelerator: str | None
    accelerators: int
    preference: int | None
    fitting: int
    cost_minor: int
    nodes: int = 1
    share: int = WHOLE

    @property
    def name(self) -> str:
        """centre/partition"""
        return f"{self.where[0]}/{self.where[1]}"

    @property
    def cost(self) -> Money | None:
        return None if self.offer is None else Money(self.cost_minor, self.offer.currency)


def holds(node: Node, demand: Demand, accelerator: str | None, accelerators: int) -> bool:
    """Whether an empty `node` holds one node of the demand."""
    return (
        node.cpus >= demand.cpus
        and node.memory_mib >= demand.memory_mib
        and (accelerator is None or node.accelerators.get(accelerator, 0) >= accelerators)
    )


def cost_minor(
    offer: OfferView, demand: Demand, accelerators: int, nodes: int | None = None, share: int = WHOLE
) -> int:
    """What the demand costs at most at this offer, run for its full time on `nodes` (None: all that it asks
    for): minor units, each item rounded up."""
    count = demand.nodes if nodes is None else nodes
    had = (demand.cpus, demand.memory_mib, accelerators, share, demand.input_bytes)
    footprint = Footprint(count, *had)
    return cost_at(offer.rate, offer.currency, footprint, demand.time_s, demand.bought(offer.id))


def spot_left(demand: Demand, offer: OfferView, accelerators: int, share: int, nodes: int) -> int:
    """Thousandths of a unit that have a spot price there, beyond what the job would have on so many nodes."""
    free = sum(deal.units for deal in demand.deals if deal.offer == offer.id)
    return free - amount_of(demand, offer.accelerator, accelerators, nodes, share)


def candidates(image: Image, demand: Demand) -> Iterator[Candidate]:
    """Every offer, then partitions without an offer, then centres without either, in the order of their
    names."""
    priced: set[tuple[str, str]] = set()
    subjects: set[str] = set()
    for offer in image.offers:
        where = (offer.centre, offer.partition)
        priced.add(where)
        options: list[tuple[int | None, int, int]] = [
            (place, count, share)
            for place, (model, count, share) in enumerate(demand.options)
            if model == offer.accelerator
        ]
        for place, count, share in options or [(None, 0, WHOLE)]:
            candidate = offered(image, demand, offer, place, count, share=share)
            if candidate.subject in subjects:
                candidate = offered(image, demand, offer, place, count, f" ({offer.id})", share)
            subjects.add(candidate.subject)
            yield candidate
    for where, pool in sorted(image.pools.items()):
        if where not in priced:
            name = f"{where[0]}/{where[1]}"
            yield Candidate(name, where, image.centres[where[0]], pool, None, None, 0, None, 0, 0)
    known = {centre for centre, _ in priced} | {centre for centre, _ in image.pools}
    for name, centre in sorted(image.centres.items()):
        if name not in known:
            yield Candidate(name, (name, ""), centre, None, None, None, 0, None, 0, 0)


def offered(
    image: Image,
    demand: Demand,
    offer: OfferView,
    place: int | None,
    count: int,
    suffix: str = "",
    share: int = WHOLE,
) -> Candidate:
    """The demand at one offer, with `count` of the offer's accelerator on each node (or a share of one)."""
    where = (offer.centre, offer.partition)
    pool = image.pools.get(where)
    model = offer.accelerator
    subject = f"{where[0]}/{where[1]}"
    if model is not None:
        subject += f" {model}:{devices(count, share)}" if place is not None else f" {model}"
    fitting = 0
    if pool is not None and place is not None:
        fitting = sum(number for node, number in pool.kinds if holds(node, demand, model, count))
    nodes = min(max(fitting, demand.least), demand.nodes)
    if (centre := image.centres.get(offer.centre)) is not None and centre.lacks(GANG):
        nodes = demand.least
    cost, limit = cost_minor(offer, demand, count, nodes, share), demand.max_cost_minor
    while limit is not None and cost > limit and nodes > demand.least:
        nodes -= 1
        cost = cost_minor(offer, demand, count, nodes, share)
    return Candidate(
        subject + suffix,
        where,
        centre,
        pool,
        offer,
        model,
        count,
        place,
        fitting,
        cost,
        nodes,
        share,
    )


def devices(count: int, share: int) -> str:
    """ "8", or "0.5" of one."""
    return str(count) if share == WHOLE else f"0.{share:03}".rstrip("0")
