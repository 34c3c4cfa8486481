"""API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from baygrid.api import bodies, paging, render, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import tokens

router = APIRouter(route_class=Route, tags=["tokens"])


@router.get("/v1/tokens", response_model=schemas.Listing[schemas.Token])
def list_tokens(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """Without their secrets, which are not kept: of a lead those of the project, of an operator all."""
    rows = sorted(tokens.tokens(call.platform, call.actor), key=lambda row: row.id)
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    return Json(render.items(map(render.token, page), next))


@router.post("/v1/tokens", status_code=201, response_model=schemas.NewTokenAnswer)
def add_token(call: Caller, body: Annotated[bodies.NewToken, reads(bodies.NewToken)]) -> Json:
    """Of a service, not of a user: leads make them for their project, good for 90 days where they say nothing
    else; operators for everybody."""
    scopes = None if body.scopes is None else frozenset(body.scopes)
    wanted = tokens.Wanted(body.role, body.project, body.centre, body.label, scopes, body.days)
    row, secret = tokens.add_token(call.platform, call.actor, wanted)
    return Json(render.token(row) | {"token": secret}, 201)


@router.delete("/v1/tokens/{token}", status_code=204, response_class=Response)
def revoke_token(token: str, call: Caller) -> Response:
    """Refused from now on. Revoking twice is fine. Everybody may revoke the token that they call with."""
    tokens.revoke(call.platform, call.actor, token)
    call.server.sessions.forget()
    return Response(status_code=204)
