"""The audit: links of one chain, its signed end, and files that anybody can check without a server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from baygrid.api import audit_schemas, paging, render, render_data, schemas
from baygrid.api.edge import Caller, Json, RenderedJson, Responses, Route
from baygrid.api.times import Time, instant_of
from baygrid.app import audit
from baygrid.app.problems import Invalid
from baygrid.core.data.chain import canonical
from baygrid.core.data.evidence import link_document
from baygrid.ports.data import Sought

router = APIRouter(route_class=Route, tags=["audit"])
_JSON = {"application/json": {"schema": {"type": "object"}}}
SIGNED: Responses = {200: {"description": "signed by the platform, as canonical JSON", "content": _JSON}}
MOST_N = 2**63 - 1


@router.get("/v1/audit", response_model=schemas.Listing[audit_schemas.Link])
def list_links(
    call: Caller,
    contract: Annotated[str | None, Query(max_length=200, description="only its links")] = None,
    kind: Annotated[str, Query(max_length=200, description="what was done, or how that begins")] = "",
    by: Annotated[str, Query(max_length=200, description="whose act it was: a user, a token")] = "",
    about: Annotated[
        str, Query(max_length=200, description="a project, a contract, any other name in it")
    ] = "",
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """What was done, newest first: of an operator all, of a team its own and what is about its contracts."""
    before = _number(cursor)
    sought = Sought(kind, by, about, instant_of("from", begin), instant_of("to", end))
    rows = audit.links(
        call.platform, call.actor, before=before, limit=limit + 1, contract=contract, sought=sought
    )
    next = str(rows[limit - 1].n) if len(rows) > limit else None
    return Json(render.items(map(render_data.link, rows[:limit]), next))


@router.get(
    "/v1/audit/chain", response_model=schemas.Listing[audit_schemas.FullLink | audit_schemas.HiddenLink]
)
def chain(call: Caller, limit: paging.Limit = 500, cursor: paging.After = None) -> Json:
    """All links in order, for whoever checks them. What is not for the caller has only digest and hash."""
    after = _number(cursor) or 0
    rows = audit.chain(call.platform, call.actor, after=after, limit=limit)
    next = str(rows[-1].n) if len(rows) == limit else None
    return Json(render.items(map(link_document, rows), next))


@router.get("/v1/audit/end", responses=SIGNED)
def signed_end(call: Caller) -> RenderedJson:
    """Where the chain ends now, signed: kept elsewhere it shows later that nothing before it was changed."""
    return RenderedJson(canonical(audit.signed_end(call.platform, call.actor)))


@router.get("/v1/audit/evidence/{contract}", responses=SIGNED)
def evidence(contract: str, call: Caller) -> RenderedJson:
    """Of one contract: what stands in it, its links, and those of others between them by their hashes. That
    it was had is a link, too."""
    return RenderedJson(canonical(audit.export(call.platform, call.actor, contract)))


@router.get("/v1/audit/export", responses=SIGNED)
def export(
    call: Caller, after: Annotated[int, Query(ge=0, le=MOST_N, description="a link's number")] = 0
) -> RenderedJson:
    """All links beyond that, as many as one file has (100,000), for an operator."""
    return RenderedJson(canonical(audit.export_all(call.platform, call.actor, after)))


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise Invalid.at("cursor", "is not of this list: begin again without it")
    return int(cursor)
