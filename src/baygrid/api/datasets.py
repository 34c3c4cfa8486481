"""Datasets: data under a name, in versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from baygrid.api import bodies, dataset_schemas, paging, render, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import datasets
from baygrid.core.data.lineage import Content

router = APIRouter(route_class=Route, tags=["datasets"])


@router.get("/v1/datasets", response_model=schemas.Listing[dataset_schemas.Dataset])
def list_datasets(
    call: Caller,
    project: Annotated[str | None, Query(max_length=200, description="only its own")] = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """The newest version of each: of the projects of one's organisation, and those that are shared."""
    views = datasets.page(call.platform, call.actor, project, cursor, limit + 1)
    next = f"{views[limit - 1].row.project}/{views[limit - 1].row.name}" if len(views) > limit else None
    return Json(render.items(map(render.dataset, views[:limit]), next))


@router.post("/v1/datasets", status_code=201, response_model=dataset_schemas.Dataset)
def add_dataset(call: Caller, body: Annotated[bodies.NewDataset, reads(bodies.NewDataset)]) -> Json:
    """The next version of that name."""
    content = Content.of_json(body.law.model_dump(exclude_unset=True))
    new = datasets.New(body.name, body.uri, body.jurisdiction, body.sha256, body.bytes, body.shared, content)
    return Json(render.dataset(datasets.create(call.platform, call.actor, body.project, new)), 201)


@router.get("/v1/datasets/{project}/{name}", response_model=schemas.Listing[dataset_schemas.Dataset])
def list_versions(
    project: str,
    name: str,
    call: Caller,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """All versions of a dataset, newest first."""
    rows = datasets.versions(call.platform, call.actor, project, name)
    page, next = paging.window(rows, lambda view: str(view.row.version), cursor, limit)
    return Json(render.items(map(render.dataset, page), next))
