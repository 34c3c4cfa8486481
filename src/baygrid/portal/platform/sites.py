"""The region's centres: their health, capacity and prices; one is added, closed, joined anew."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app import centres, joining
from baygrid.app.access import Action, permit
from baygrid.app.capacity import Room, rooms
from baygrid.app.problems import Problem
from baygrid.app.tokens import Invitation
from baygrid.portal.page import page
from baygrid.portal.routing import Handler, Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.records import CentreState

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
    return _show(visit, row.name, made)


def show(visit: Visit) -> Response:
    return _show(visit, visit.param("centre"))


def _show(visit: Visit, name: str, made: Invitation | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    row = centres.centre(visit.platform, visit.actor, name)
    server = str(visit.request.base_url).removesuffix("/portal/").rstrip("/")
    return page(
        visit, "platform/centre.html", row=row, reachable=centres.reachable(row, visit.now),
        rooms=_by_centre(visit).get(name, []), made=made, server=server,
    )  # fmt: skip


def invite(visit: Visit) -> Response:
    """Another join token, shown once."""
    name, with_offers = visit.param("centre"), visit.form.get("with_offers") == "yes"
    return _show(visit, name, joining.invite(visit.platform, visit.actor, name, with_offers))


def rotate(visit: Visit) -> Response:
    name = visit.param("centre")
    joining.rotate(visit.platform, visit.actor, name)
    told = visit.say("Its agent makes itself a new credential when it next reports.")
    return go(visit, f"region/centres/{name}", told)


def revoke(visit: Visit) -> Response:
    name = visit.param("centre")
    joining.revoke(visit.platform, visit.actor, name)
    told = visit.say("Its agent is refused from now on. What runs there goes on.")
    return go(visit, f"region/centres/{name}", told)


def _to(state: CentreState) -> Handler:
    def change(visit: Visit) -> Response:
        name = visit.param("centre")
        centres.set_state(visit.platform, visit.actor, name, state)
        if state is CentreState.OPEN:
            told = visit.say("The centre is open: new jobs may come.")
        else:
            told = visit.say("The centre is closed: what runs there goes on, nothing new comes.")
        return go(visit, f"region/centres/{name}", told)

    return change


_ONE = "region/centres/{centre}"
PAGES = (
    Page("region/centres", list_, here="centres"),
    Page("region/centres", add, here="centres", method="POST"),
    Page(_ONE, show, here="centres"),
    Page(f"{_ONE}/open", _to(CentreState.OPEN), here="centres", method="POST"),
    Page(f"{_ONE}/drain", _to(CentreState.DRAINED), here="centres", method="POST"),
    Page(f"{_ONE}/invite", invite, here="centres", method="POST"),
    Page(f"{_ONE}/rotate", rotate, here="centres", method="POST"),
    Page(f"{_ONE}/revoke", revoke, here="centres", method="POST"),
)
