"""The region's centres: their health, capacity and prices; one is added. Each has its own page."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app import centres
from baygrid.app.access import Action, permit
from baygrid.app.capacity import Room, rooms
from baygrid.app.problems import Problem
from baygrid.portal.centre.looking import shown
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit

TYPED = ("name", "jurisdiction", "driver", "with_offers")


def list_(visit: Visit) -> Response:
    return _list(visit, {"name": "", "jurisdiction": "CN-QH", "driver": "", "with_offers": ""})


def _list(visit: Visit, typed: dict[str, str], problem: Problem | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    rows = centres.centres(visit.platform, visit.actor)
    reachable = {row.name: centres.reachable(row, visit.now) for row in rows}
    return page(
        visit, "platform/centres.html", problem=problem, rows=rows, reachable=reachable,
        rooms=_by_centre(visit), drivers=visit.platform.drivers, typed=typed,
    )  # fmt: skip


def _by_centre(visit: Visit) -> dict[str, list[Room]]:
    found: dict[str, list[Room]] = {}
    for room in rooms(visit.platform, visit.actor):
        found.setdefault(room.offer.centre, []).append(room)
    return found


def add(visit: Visit) -> Response:
    """The join token is shown once, on the page that answers."""
    typed = {name: visit.form.get(name) for name in TYPED}
    with_offers = typed["with_offers"] == "yes"
    try:
        row, made = centres.add_centre(
            visit.platform, visit.actor, typed["name"], typed["jurisdiction"], typed["driver"], with_offers
        )
    except Problem as problem:
        return _list(visit, typed, problem)
    return shown(visit, row.name, made)


PAGES = (
    Page("region/centres", list_, here="centres"),
    Page("region/centres", add, here="centres", method="POST"),
)
