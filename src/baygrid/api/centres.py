"""Centres of the region."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from baygrid.api import bodies, paging, render, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.app import centres
from baygrid.ports.records import CentreRecord, CentreState

router = APIRouter(route_class=Route, tags=["centres"])


def _render(call: Call, row: CentreRecord, *, nodes: bool) -> render.Doc:
    return render.centre(row, reachable=centres.reachable(row, call.platform.clock()), nodes=nodes)


@router.get("/v1/centres", response_model=schemas.Listing[schemas.Centre])
def list_centres(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    rows = centres.centres(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.name, cursor, limit)
    return Json(render.items((_render(call, row, nodes=False) for row in page), next))


@router.post("/v1/centres", status_code=201, response_model=schemas.NewCentreAnswer)
def add_centre(call: Caller, body: Annotated[bodies.NewCentre, reads(bodies.NewCentre)]) -> Json:
    row, secret = centres.add_centre(call.platform, call.actor, body.name, body.jurisdiction, body.driver)
    return Json({"centre": _render(call, row, nodes=True), "token": secret}, 201)


@router.get("/v1/centres/{centre}", response_model=schemas.Centre)
def get_centre(centre: str, call: Caller) -> Json:
    """With every node."""
    return Json(_render(call, centres.centre(call.platform, call.actor, centre), nodes=True))


@router.post("/v1/centres/{centre}/drain", response_model=schemas.Centre)
def drain_centre(centre: str, call: Caller) -> Json:
    """What runs there goes on, nothing new comes."""
    row = centres.set_state(call.platform, call.actor, centre, CentreState.DRAINED)
    return Json(_render(call, row, nodes=True))


@router.post("/v1/centres/{centre}/open", response_model=schemas.Centre)
def open_centre(centre: str, call: Caller) -> Json:
    row = centres.set_state(call.platform, call.actor, centre, CentreState.OPEN)
    return Json(_render(call, row, nodes=True))
