"""The registry: bodies of the region with their history, zones, imports."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from baygrid.api import paging, registry_schemas, render, render_registry, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.api.times import Day, day_of
from baygrid.app import registry, registry_changes, registry_export, registry_import, registry_zones
from baygrid.core.region.bodies import Labelled
from baygrid.core.region.rows import ZONES

router = APIRouter(route_class=Route, tags=["registry"])
On = Annotated[Day, Query(description="the day; else today")]
_BODY = "/v1/registry/bodies/{body}"


@router.get("/v1/registry/bodies", response_model=schemas.Listing[registry_schemas.Registered])
def list_bodies(
    call: Caller,
    search: Annotated[str, Query(max_length=200, description="in ids, codes and names of any script")] = "",
    kind: Annotated[Literal["company", "university", "institute"] | None, Query()] = None,
    zone: Annotated[str, Query(max_length=63, description="with the zones inside it")] = "",
    layer: Annotated[str, Query(max_length=63)] = "",
    field: Annotated[str, Query(max_length=63)] = "",
    on: On = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """By id, as they were on a day. A page may be short and have a `next` all the same."""
    filters = registry.Filters(search, kind or "", zone, layer, field)
    on_day = day_of("on", on) or registry.today(call.platform)
    found, next = registry.page(call.platform, call.actor, filters, on_day, cursor or "", limit)
    return Json(render.items(map(render_registry.body, found), next))


@router.get(_BODY, response_model=registry_schemas.History)
def get_body(body: str, call: Caller, on: On = None) -> Json:
    """With its addresses, its labels and all that was done to it."""
    return _whole(call, body, day_of("on", on))


@router.get(_BODY + "/proposals", response_model=schemas.Listing[registry_schemas.Proposal])
def list_proposals(body: str, call: Caller) -> Json:
    """What it may be, by the words of its names and its business. A proposal counts for nothing."""
    return Json(
        render.items(map(render_registry.proposal, registry.proposals(call.platform, call.actor, body)))
    )


@router.post(_BODY + "/labels", response_model=registry_schemas.History)
def label_body(
    body: str,
    call: Caller,
    said: Annotated[registry_schemas.NewLabel, reads(registry_schemas.NewLabel)],
) -> Json:
    """A person says what it is; the log keeps who and why. The same again changes nothing."""
    since = day_of("since", said.since)
    kind = Labelled(said.kind)
    registry_changes.label(call.platform, call.actor, body, kind, said.values, since, said.by, said.why)
    return _whole(call, body)


@router.post(_BODY + "/merge", response_model=registry_schemas.History)
def merge_body(
    body: str, call: Caller, said: Annotated[registry_schemas.Merge, reads(registry_schemas.Merge)]
) -> Json:
    """Makes it a part of another, which is the answer. The same again changes nothing."""
    row = registry_changes.merge(call.platform, call.actor, body, said.into, said.why)
    return _whole(call, row.id)


@router.post(_BODY + "/unmerge", response_model=registry_schemas.History)
def unmerge_body(
    body: str, call: Caller, said: Annotated[registry_schemas.Unmerge, reads(registry_schemas.Unmerge)]
) -> Json:
    """Takes back that it is part of another, by the log."""
    registry_changes.unmerge(call.platform, call.actor, body, said.why)
    return _whole(call, body)


@router.put(_BODY + "/organisation", response_model=registry_schemas.History)
def link_body(
    body: str, call: Caller, said: Annotated[registry_schemas.Link, reads(registry_schemas.Link)]
) -> Json:
    """Which organisation of the platform it is."""
    registry_changes.link(call.platform, call.actor, body, said.organisation)
    return _whole(call, body)


@router.get("/v1/registry/zones", response_model=registry_schemas.Zones)
def get_zones(call: Caller) -> Json:
    return Json(render_registry.zones(registry_zones.zones(call.platform, call.actor)))


@router.put("/v1/registry/zones", response_model=registry_schemas.Zones)
def set_zones(
    call: Caller, said: Annotated[registry_schemas.NewZones, reads(registry_schemas.NewZones)]
) -> Json:
    """All of them anew; earlier versions stay."""
    return Json(render_registry.zones(registry_zones.set_zones(call.platform, call.actor, said.model_dump())))


@router.get("/v1/registry/imports", response_model=schemas.Listing[registry_schemas.PastImport])
def list_imports(call: Caller) -> Json:
    """Newest first."""
    return Json(
        render.items(map(render_registry.past_import, registry_import.imports(call.platform, call.actor)))
    )


@router.post("/v1/registry/imports", response_model=registry_schemas.Import)
def add_import(
    call: Caller, said: Annotated[registry_schemas.NewImport, reads(registry_schemas.NewImport)]
) -> Json:
    """Reviews every row, then imports all in one transaction. With findings nothing is imported unless all of
    them are `accepted`. The same files again change nothing."""
    accepted = None
    if said.accepted is not None:
        accepted = [registry_import.Accepted(**it.model_dump()) for it in said.accepted]
    outcome = registry_import.run(call.platform, call.actor, said.files, accepted, dry=said.dry_run)
    return Json(render_registry.outcome(outcome))


@router.get("/v1/registry/export/{file}", response_class=Response)
def export_file(file: str, call: Caller) -> Response:
    """A file of the plain form: bodies.csv, addresses.csv, labels.csv, returns.csv or zones.json."""
    content = registry_export.export(call.platform, call.actor, file)
    kind = "application/geo+json" if file == ZONES else "text/csv; charset=utf-8"
    return StreamingResponse(content, media_type=kind)


def _whole(call: Call, body: str, on: date | None = None) -> Json:
    found = registry.body(call.platform, call.actor, body, on or registry.today(call.platform))
    return Json(render_registry.history(*found))
