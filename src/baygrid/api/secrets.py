"""Secrets of a project: set and listed, never shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from baygrid.api import bodies, paging, render, schemas, secret_schemas
from baygrid.api.edge import Caller, Json, RenderedJson, Route, reads
from baygrid.app import secrets
from baygrid.ports import wire
from baygrid.ports.messages import Secrets

router = APIRouter(route_class=Route, tags=["secrets"])


@router.get("/v1/projects/{project}/secrets", response_model=schemas.Listing[secret_schemas.Secret])
def list_secrets(
    project: str, call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    """Their names, and when each was set; a value is told to nobody."""
    rows = secrets.listed(call.platform, call.actor, project)
    page, next = paging.window(rows, lambda row: row.name, cursor, limit)
    return Json(render.items(map(render.secret, page), next))


@router.put("/v1/projects/{project}/secrets/{name}", response_model=secret_schemas.Secret)
def set_secret(
    project: str, name: str, call: Caller, body: Annotated[bodies.NewSecret, reads(bodies.NewSecret)]
) -> Json:
    """In the place of an earlier value. Jobs that start from now on get it."""
    return Json(render.secret(secrets.put(call.platform, call.actor, project, name, body.value)))


@router.delete("/v1/projects/{project}/secrets/{name}", status_code=204)
def delete_secret(project: str, name: str, call: Caller) -> Response:
    """Jobs that run keep theirs until they end."""
    secrets.delete(call.platform, call.actor, project, name)
    return Response(status_code=204)


@router.post("/v1/agent/secrets/{attempt}", response_model=Secrets)
def deliver(
    attempt: str, call: Caller, baygrid_attempt_token: Annotated[str, Header(max_length=200)]
) -> Response:
    """The values for an attempt that is about to start, for the agent of its centre alone."""
    values = secrets.deliver(call.platform, call.actor, attempt, baygrid_attempt_token)
    return RenderedJson(wire.encode(Secrets(values)), headers={"Cache-Control": "no-store"})
