"""What of each offer is free at this moment, and how long a small job would wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.demand import by_place, demand_of
from baygrid.app.platform import Platform
from baygrid.app.rated import Rated, of_offer
from baygrid.app.region_image import RegionImage
from baygrid.core.jobs.spec import parse
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.ports.basics import Instant
from baygrid.ports.records import CentreRecord, Offer, PlanRow, RatingRow
from baygrid.ports.store import Tx

NOBODY: Final = "nobody"
"""The project of the small job: it has had nothing of the region, and belongs to no one."""


@dataclass(frozen=True, slots=True)
class Room:
    """An offer with what it has. `total` and `free`: accelerators of its model, else cpus; None where its
    centre has declared nothing yet. `tariff`: in force, or the first one. `wait_s`: until a job of one
    accelerator (or one cpu) for an hour would probably start, None: not known, or nobody may start there.
    `reachable`: its centre has reported lately; `open`: it takes new jobs. `ratings`: in the three units."""

    offer: Offer
    centre: CentreRecord
    tariff: Tariff
    nodes: int
    total: int | None
    free: int | None
    wait_s: int | None
    reachable: bool
    open: bool
    ratings: Sequence[Rated]


def rooms(platform: Platform, actor: Actor) -> list[Room]:
    """All offers of the region, by centre, partition and model."""
    permit(actor, Action.BROWSE)
    now = platform.clock()

    def load(
        tx: Tx,
    ) -> tuple[Mapping[str, CentreRecord], Sequence[Offer], Sequence[RatingRow], Mapping[str, PlanRow]]:
        return tx.region.centres(), tx.region.offers(), tx.ratings.newest(), tx.ratings.plans()

    centres, offers, ratings, plans = platform.store.read(load)
    with platform.follower.lock:
        known = platform.follower.catch_up(now)
        waits = _waits(known, {(it.accelerator, it.currency) for it in offers}, now)
        had = {it.id: _had(known, it) for it in offers}
        views = dict(known.image.centres)
    rated = by_place(ratings)
    rows = []
    for it in sorted(offers, key=lambda o: (o.centre, o.partition, o.accelerator or "", o.id)):
        nodes, total, used = had[it.id]
        view = views.get(it.centre)
        told = of_offer(
            it, rated.get((it.centre, it.partition, it.accelerator), ()), plans.get(it.centre), now
        )
        rows.append(
            Room(
                it,
                centres[it.centre],
                in_force(it.tariffs, now) or it.tariffs[0],
                nodes,
                total if nodes else None,
                max(0, total - used) if nodes else None,
                waits.get(it.id),
                view is not None and view.silent_s is None,
                view is not None and view.open,
                told,
            )
        )
    return rows


def _had(known: RegionImage, offer: Offer) -> tuple[int, int, int]:
    """Nodes of an offer's partition that have its model, and of these devices (or cpus) all and occupied."""
    where, model = (offer.centre, offer.partition), offer.accelerator
    pool = known.image.pools.get(where)
    if pool is None:
        return 0, 0, 0
    kinds = [(node, n) for node, n in pool.kinds if model is None or node.accelerators.get(model)]
    total = sum(n * (node.cpus if model is None else node.accelerators[model]) for node, n in kinds)
    if model is None:
        used = sum(it.count * it.cpus for it in known.image.at(where))
    else:
        used = -(-sum(it.amount for it in known.image.at(where) if it.accelerator == model) // 1000)
    return sum(n for _, n in kinds), total, used


def _waits(known: RegionImage, kinds: set[tuple[str | None, str]], now: Instant) -> dict[str, int | None]:
    """By offer, as it is explained to a job that is only imagined."""
    found: dict[str, int | None] = {}
    for accelerator, currency in sorted(kinds, key=str):
        resources = {"accelerators": f"{accelerator}:1"} if accelerator else {"cpus": 1}
        document = {"name": "one", "project": NOBODY, "time": "1h", "run": "true", "resources": resources}
        demand = demand_of("?", currency, parse(document), submitted_at=now)
        told = known.explain(known.imagined(demand, "one"), now)
        for row in told.outcome.data.get("costs", ()):  # type: ignore[union-attr]
            found.setdefault(row["offer"], row.get("wait_s"))  # type: ignore[index,union-attr,arg-type,call-overload]
    return found
