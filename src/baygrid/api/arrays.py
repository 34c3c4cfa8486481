"""Arrays of jobs: list, look, cancel. They are submitted as jobs are, and their elements are jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from baygrid.api import job_schemas, paging, render, render_jobs, schemas
from baygrid.api.edge import Caller, Json, Route
from baygrid.app import arrays

router = APIRouter(route_class=Route, tags=["jobs"])


@router.get("/v1/arrays", response_model=schemas.Listing[job_schemas.Array])
def list_arrays(
    call: Caller,
    project: Annotated[str | None, Query(max_length=200)] = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """Newest first."""
    views = arrays.page(call.platform, call.actor, project=project, before=cursor, limit=limit + 1)
    next = views[limit - 1].array.id if len(views) > limit else None
    return Json(render.items(map(render_jobs.array, views[:limit]), next))


@router.get("/v1/arrays/{array}", response_model=job_schemas.Array)
def get_array(array: str, call: Caller) -> Json:
    """Its elements: `GET /v1/jobs?array=ID`."""
    return Json(render_jobs.array(arrays.array(call.platform, call.actor, array)))


@router.post("/v1/arrays/{array}/cancel", response_model=job_schemas.Array)
def cancel_array(array: str, call: Caller) -> Json:
    """Every element that has not ended; 409 when all have."""
    return Json(render_jobs.array(arrays.cancel(call.platform, call.actor, array)))
