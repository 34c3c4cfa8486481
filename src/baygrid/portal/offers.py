"""What the region offers now: how much of it is free, for which price, how fast, and how soon."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app.capacity import Room, rooms
from baygrid.core.units import WORK
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit


def offers(visit: Visit) -> Response:
    found = rooms(visit.platform, visit.actor)
    models = sorted({it.offer.accelerator for it in found if it.offer.accelerator})
    wanted = visit.asked("accelerator")
    if wanted == "none":
        found = [it for it in found if it.offer.accelerator is None]
    elif wanted:
        found = [it for it in found if it.offer.accelerator == wanted]
    return page(
        visit, "offers/offers.html", rooms=found, models=models, wanted=wanted, units=tuple(WORK),
        best={unit: _cheapest(found, unit) for unit in WORK},
    )  # fmt: skip


def _cheapest(found: list[Room], unit: str) -> set[str]:
    """The offers with the lowest price of a unit of work, of each currency: they cannot be compared."""
    best: dict[str, tuple[object, str]] = {}
    for room in found:
        for it in room.ratings:
            if it.unit == unit and it.price is not None:
                before = best.get(room.offer.currency)
                if before is None or it.price < before[0]:  # type: ignore[operator]
                    best[room.offer.currency] = (it.price, room.offer.id)
    return {id for _, id in best.values()}


PAGES = (Page("offers", offers, here="offers"),)
