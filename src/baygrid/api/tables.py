"""The catalogue of tables: what is offered, what columns are in law, what it looks like, what is wanted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from baygrid.api import data_bodies, data_schemas, paging, render, render_data, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.app import labelling, looking, tables
from baygrid.core.data.labels import Labels

router = APIRouter(route_class=Route, tags=["data"])


@router.get("/v1/tables", response_model=schemas.Listing[data_schemas.Table])
def list_tables(
    call: Caller,
    project: Annotated[str | None, Query(max_length=200, description="only its own")] = None,
    search: Annotated[
        str, Query(max_length=200, description="words in titles, names, columns, places and labels")
    ] = "",
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """The newest version of each table of every project."""
    rows = tables.tables(call.platform, call.actor, project=project, search=search)
    page, next = paging.window(rows, lambda view: view.row.ref, cursor, limit)
    return Json(render.items(map(render_data.table, page), next))


@router.post("/v1/tables", status_code=201, response_model=data_schemas.Table)
def add_table(
    call: Caller,
    body: Annotated[data_bodies.NewTable, reads(data_bodies.NewTable)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """The next version of that name, with columns as they are now. Those that changed lose their labels."""
    new = tables.New(
        body.name, body.title, body.format, body.uri, body.table, body.place, body.secret, body.open
    )
    key = once(idempotency_key, "table", body.project, new)
    return Json(render_data.table(tables.add(call.platform, call.actor, body.project, new, key)), 201)


@router.get("/v1/tables/wanted", response_model=schemas.Listing[data_schemas.Wish])
def list_wishes(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """What was looked for and not found, most wished for first."""
    rows = looking.wishes(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.text, cursor, limit)
    return Json(render.items(map(render_data.wish, page), next))


@router.post("/v1/tables/wanted", status_code=201, response_model=data_schemas.Wish)
def add_wish(
    call: Caller,
    body: Annotated[data_bodies.NewWish, reads(data_bodies.NewWish)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Counts what a project looks for, so that whoever has it sees that it is wanted."""
    key = once(idempotency_key, "wish", body.project, body.text)
    return Json(render_data.wish(looking.wish(call.platform, call.actor, body.project, body.text, key)), 201)


@router.get("/v1/tables/{project}/{table}", response_model=data_schemas.Table)
def get_table(project: str, table: str, call: Caller) -> Json:
    return Json(render_data.table(tables.table(call.platform, call.actor, project, table)))


@router.get("/v1/tables/{project}/{table}/proposals", response_model=schemas.Listing[data_schemas.Proposal])
def list_proposals(project: str, table: str, call: Caller) -> Json:
    """What each column may be in law, by its name and its values. A proposal counts for nothing."""
    rows = labelling.proposals(call.platform, call.actor, project, table)
    return Json(render.items(map(render_data.proposal, rows)))


@router.post("/v1/tables/{project}/{table}/labels", response_model=data_schemas.Table)
def confirm_labels(
    project: str,
    table: str,
    call: Caller,
    body: Annotated[data_bodies.Confirmation, reads(data_bodies.Confirmation)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Sets what columns are, under the name of the person who says so."""
    labels = {name: Labels.of_json(it.model_dump()) for name, it in body.labels.items()}
    key = once(idempotency_key, "labels", project, table, body)
    view = labelling.confirm(call.platform, call.actor, project, table, labels, body.by, key)
    return Json(render_data.table(view))


@router.get("/v1/tables/{project}/{table}/profile", response_model=data_schemas.Profile)
def get_profile(project: str, table: str, call: Caller) -> Json:
    """How many rows, nulls and values; least and greatest of harmless columns only."""
    return Json(render_data.profile(looking.profile(call.platform, call.actor, project, table)))


@router.get("/v1/tables/{project}/{table}/sample", response_model=data_schemas.Sample)
def get_sample(
    project: str,
    table: str,
    call: Caller,
    rows: Annotated[int, Query(ge=1, le=looking.MOST_ROWS, description="how many at most")] = 10,
) -> Json:
    """Some rows, of harmless columns only. Of others' tables only where they are open."""
    return Json(render_data.sample(looking.sample(call.platform, call.actor, project, table, rows)))
