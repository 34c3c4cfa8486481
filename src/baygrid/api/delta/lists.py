"""Shares, schemas and tables that a recipient may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter

from baygrid.api.delta import schemas
from baygrid.api.delta.edge import PREFIX, DeltaRoute, Recipient
from baygrid.api.delta.pages import Asked, Page, listed
from baygrid.api.edge import Json
from baygrid.app import shares
from baygrid.app.shares import SharedTable

router = APIRouter(prefix=PREFIX, route_class=DeltaRoute, tags=["delta sharing"])


@router.get("/shares", response_model=schemas.DeltaShares)
def list_shares(call: Recipient, page: Page) -> Json:
    rows = shares.shared(call.platform, call.bearer)
    return _page(page, rows, 1, lambda row: {"name": row.share})


@router.get("/shares/{share}", response_model=schemas.DeltaShareAnswer)
def get_share(share: str, call: Recipient) -> Json:
    row = shares.found(call.platform, call.bearer, share)[0]
    return Json({"share": {"name": row.share}})


@router.get("/shares/{share}/schemas", response_model=schemas.DeltaSchemas)
def list_schemas(share: str, call: Recipient, page: Page) -> Json:
    rows = shares.found(call.platform, call.bearer, share)
    return _page(page, rows, 2, lambda row: {"name": row.schema, "share": row.share})


@router.get("/shares/{share}/schemas/{schema}/tables", response_model=schemas.DeltaTables)
def list_tables(share: str, schema: str, call: Recipient, page: Page) -> Json:
    return _page(page, shares.found(call.platform, call.bearer, share, schema), 3, _table)


@router.get("/shares/{share}/all-tables", response_model=schemas.DeltaTables)
def list_all_tables(share: str, call: Recipient, page: Page) -> Json:
    return _page(page, shares.found(call.platform, call.bearer, share), 3, _table)


def _table(row: SharedTable) -> dict[str, Any]:
    return {
        "name": row.name,
        "schema": row.schema,
        "share": row.share,
        "id": row.id,
        "accessModes": ["url"],
    }


def _page(
    page: Asked, rows: Sequence[SharedTable], depth: int, render: Callable[[SharedTable], dict[str, Any]]
) -> Json:
    """Each once, by the first `depth` of share, schema and name."""
    first = {row.key[:depth]: row for row in reversed(rows)}
    some, token = listed(sorted(first.items()), lambda it: "\0".join(it[0]), page)
    items = [render(row) for _, row in some]
    return Json({"items": items} if token is None else {"items": items, "nextPageToken": token})
