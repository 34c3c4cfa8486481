"""Organisations, projects, their money, the ledger."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from baygrid.api import bill, bill_schemas, bodies, paging, render, render_money, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.app import ledger as books
from baygrid.app import projects
from baygrid.app.allocations import Wanted
from baygrid.core.pricing.allocations import Source

router = APIRouter(route_class=Route, tags=["region"])


@router.get("/v1/me", response_model=schemas.Me)
def me(call: Caller) -> Json:
    return Json(render.me(call.actor))


@router.get("/v1/organisations", response_model=schemas.Listing[schemas.Organisation])
def list_organisations(
    call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    rows = sorted(projects.organisations(call.platform, call.actor), key=lambda row: row.name)
    page, next = paging.window(rows, lambda row: row.name, cursor, limit)
    return Json(render.items(map(render.organisation, page), next))


@router.post("/v1/organisations", status_code=201, response_model=schemas.Organisation)
def add_organisation(
    call: Caller, body: Annotated[bodies.NewOrganisation, reads(bodies.NewOrganisation)]
) -> Json:
    row = projects.add_organisation(call.platform, call.actor, body.name, body.kind, body.title)
    return Json(render.organisation(row), 201)


@router.get("/v1/projects", response_model=schemas.Listing[schemas.Project])
def list_projects(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """A team sees its own."""
    rows = projects.projects(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.name, cursor, limit)
    return Json(render.items(map(render.project, page), next))


@router.post("/v1/projects", status_code=201, response_model=schemas.Project)
def add_project(call: Caller, body: Annotated[bodies.NewProject, reads(bodies.NewProject)]) -> Json:
    row = projects.add_project(
        call.platform, call.actor, body.name, body.organisation, body.currency, body.grant
    )
    return Json(render.project(row), 201)


@router.get("/v1/projects/{project}", response_model=schemas.Project)
def get_project(project: str, call: Caller) -> Json:
    return Json(render.project(projects.project(call.platform, call.actor, project)))


@router.post("/v1/projects/{project}/grants", status_code=201, response_model=schemas.Project)
def add_grant(
    project: str,
    call: Caller,
    body: Annotated[bodies.NewGrant, reads(bodies.NewGrant)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Adds an allocation to what the project may spend."""
    source = Source.CREDIT if body.credit else Source.GRANT
    wanted = Wanted(body.amount, body.narration, source, body.start, body.end)
    key = once(idempotency_key, "grant", project, wanted)
    row = projects.grant(call.platform, call.actor, project, wanted, key)
    return Json(render.project(row), 201)


@router.get("/v1/ledger", response_model=schemas.Listing[bill_schemas.Transaction], responses=bill.TEXT)
def ledger(
    call: Caller,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
    format: Literal["json", "beancount"] = "json",
) -> Response:
    """Oldest first. `beancount`: the whole, in one text."""
    if format == "beancount":
        return PlainTextResponse(books.beancount(call.platform, call.actor))
    rows = books.ledger(call.platform, call.actor, cursor, limit + 1)
    next = rows[limit - 1].id if len(rows) > limit else None
    return Json(render.items(map(render_money.transaction, rows[:limit]), next))


@router.get("/v1/ledger/balances", response_model=schemas.Listing[bill_schemas.Balance])
def balances(call: Caller) -> Json:
    """They sum to zero in each currency."""
    return Json(render_money.balances(books.balances(call.platform, call.actor)))
