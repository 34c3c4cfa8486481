"""What projects may spend, and how they ask for it."""

from __future__ import annotations

from fastapi import APIRouter

from baygrid.api import account_schemas, paging, render, render_accounts, schemas
from baygrid.api.edge import Caller, Json, Route
from baygrid.app import allocations

router = APIRouter(route_class=Route, tags=["accounts"])


@router.get("/v1/allocations", response_model=schemas.Listing[account_schemas.Allocation])
def list_allocations(
    call: Caller,
    project: str | None = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """A team's own; of an operator those of all projects, unless one is named."""
    rows = allocations.allocations(call.platform, call.actor, project)
    page, next = paging.window(rows, lambda it: it.row.allocation.id, cursor, limit)
    now = call.platform.clock()
    return Json(render.items((render_accounts.allocation(it, now) for it in page), next))
