"""Centres of the region."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from baygrid.api import bodies, job_schemas, paging, render, render_jobs, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.api.times import Time, instant_of
from baygrid.app import centres, joining, outside, tending
from baygrid.app.tokens import Invitation
from baygrid.ports.records import CentreRecord, CentreState

router = APIRouter(route_class=Route, tags=["centres"])
MONTH_MS = 30 * 86_400_000


def _render(call: Call, row: CentreRecord, *, nodes: bool) -> render.Doc:
    return render.centre(row, reachable=centres.reachable(row, call.platform.clock()), nodes=nodes)


@router.get("/v1/centres", response_model=schemas.Listing[schemas.Centre])
def list_centres(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    rows = centres.centres(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.name, cursor, limit)
    return Json(render.items((_render(call, row, nodes=False) for row in page), next))


@router.post("/v1/centres", status_code=201, response_model=schemas.Invitation)
def add_centre(call: Caller, body: Annotated[bodies.NewCentre, reads(bodies.NewCentre)]) -> Json:
    """The centre, and a token with which its agent joins within the hour."""
    row, made = centres.add_centre(
        call.platform, call.actor, body.name, body.jurisdiction, body.driver, body.with_offers
    )
    return Json(_invitation(call, row, made), 201)


@router.post("/v1/centres/{centre}/invitations", status_code=201, response_model=schemas.Invitation)
def invite(
    centre: str, call: Caller, body: Annotated[bodies.NewInvitation, reads(bodies.NewInvitation)]
) -> Json:
    """Another token to join with; an earlier one that was not used ends."""
    made = joining.invite(call.platform, call.actor, centre, body.with_offers)
    return Json(_invitation(call, centres.centre(call.platform, call.actor, centre), made), 201)


def _invitation(call: Call, row: CentreRecord, made: Invitation) -> render.Doc:
    return {
        "centre": _render(call, row, nodes=True),
        "join_token": made.secret,
        "expires_at": render.instant(made.expires_at),
        "with_offers": made.with_offers,
    }


@router.post("/v1/centres/{centre}/rotate", response_model=schemas.Centre)
def rotate(centre: str, call: Caller) -> Json:
    """Its agent makes itself a new credential; when that is first used, the old one ends."""
    return Json(_render(call, joining.rotate(call.platform, call.actor, centre), nodes=True))


@router.post("/v1/centres/{centre}/revoke", response_model=schemas.Centre)
def revoke(centre: str, call: Caller) -> Json:
    """Its agent is refused from now on; what runs there goes on."""
    row = joining.revoke(call.platform, call.actor, centre)
    call.server.sessions.forget()
    return Json(_render(call, row, nodes=True))


@router.get("/v1/centres/{centre}", response_model=schemas.Centre)
def get_centre(centre: str, call: Caller) -> Json:
    """With every node."""
    return Json(_render(call, centres.centre(call.platform, call.actor, centre), nodes=True))


@router.get("/v1/centres/{centre}/usage", response_model=schemas.Listing[schemas.CentreUse])
def get_usage(
    centre: str,
    call: Caller,
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
) -> Json:
    """What ended there in [from, to), by Baygrid's jobs and by others; without them, in the last 30 days."""
    now = call.platform.clock()
    until = instant_of("to", end)
    since = instant_of("from", begin)
    since = now - MONTH_MS if since is None else since
    found = outside.usage(call.platform, call.actor, centre, since, now + 1 if until is None else until)
    return Json(render.items(map(render.centre_use, found)))


@router.get("/v1/centres/{centre}/nodes", response_model=schemas.Listing[schemas.NodeUse])
def list_nodes(
    centre: str, call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    """What each node has, and what of it live attempts have: for the operator of the centre."""
    found = tending.at_work(call.platform, call.actor, centre).nodes
    page, next = paging.window(found, lambda it: f"{it.partition}/{it.node.name}", cursor, limit)
    return Json(render.items(map(render.node_use, page), next))


@router.get("/v1/centres/{centre}/attempts", response_model=schemas.Listing[job_schemas.CentreAttempt])
def list_attempts(
    centre: str, call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    """Whose jobs were placed there and what became of them, newest first: for the centre's operator."""
    found = tending.lately(call.platform, call.actor, centre, cursor, limit + 1)
    page = found[:limit]
    next = page[-1].attempt.id if len(found) > limit else None
    return Json(render.items(map(render_jobs.centre_attempt, page), next))


@router.post("/v1/centres/{centre}/drain", response_model=schemas.Centre)
def drain_centre(centre: str, call: Caller) -> Json:
    """What runs there goes on, nothing new comes."""
    row = centres.set_state(call.platform, call.actor, centre, CentreState.DRAINED)
    return Json(_render(call, row, nodes=True))


@router.post("/v1/centres/{centre}/open", response_model=schemas.Centre)
def open_centre(centre: str, call: Caller) -> Json:
    row = centres.set_state(call.platform, call.actor, centre, CentreState.OPEN)
    return Json(_render(call, row, nodes=True))
