"""Tunnels to running jobs: two requests of the user's, two of the agent's, joined here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from baygrid.api import bodies, tunnel_schemas
from baygrid.api.agent import MAX_WAIT_S
from baygrid.api.edge import Caller, Json, RenderedJson, Route, reads
from baygrid.api.pipes import Ends, Pipe, Tunnels, new_id, topic
from baygrid.api.waiters import Departure
from baygrid.app import tunnels
from baygrid.app.access import Action, permit
from baygrid.app.problems import Forbidden
from baygrid.ports import wire
from baygrid.ports.tunnels import Tunnel, Wanted

router = APIRouter(route_class=Route, tags=["tunnels"])

_BYTES = {"requestBody": {"content": {"application/octet-stream": {}}, "required": True}}
_PLAIN = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.post("/v1/jobs/{job}/tunnels", status_code=201, response_model=tunnel_schemas.Opened)
async def open_tunnel(
    job: str, call: Caller, body: Annotated[bodies.NewTunnel, reads(bodies.NewTunnel)]
) -> Json:
    """To a command beside a running job, or to a port that it listens on. Then send frames to
    `PUT /v1/tunnels/{tunnel}/in` and read them from `GET /v1/tunnels/{tunnel}/out`."""
    what = f"port {body.port}" if body.port else "terminal" if body.terminal else "command"
    attempt = await run_in_threadpool(tunnels.begin, call.platform, call.actor, job, what)
    wanted = Tunnel(
        new_id(), attempt.id, attempt.token, tuple(body.command), body.terminal, body.rows, body.columns,
        body.term, body.port, body.rank,
    )  # fmt: skip
    call.server.tunnels.open(wanted, call.actor.token_id, attempt.centre)
    return Json({"id": wanted.id, "attempt": attempt.id, "centre": attempt.centre}, 201)


@router.put("/v1/tunnels/{tunnel}/in", status_code=204, openapi_extra=_BYTES)
async def send(request: Request, tunnel: str, call: Caller) -> Response:
    """What the user's machine sends, until it ends."""
    ends = call.server.tunnels.of_owner(tunnel, call.actor.token_id)
    return await _poured(request, ends.inward)


@router.get("/v1/tunnels/{tunnel}/out", response_class=Response)
async def receive(tunnel: str, call: Caller) -> StreamingResponse:
    """What the job's node says, until it ends."""
    room = call.server.tunnels
    ends = room.of_owner(tunnel, call.actor.token_id)
    return _drawn(ends.outward, room, ends)


@router.get("/v1/agent/tunnels", response_model=Wanted)
async def wanted(
    request: Request,
    call: Caller,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = 0,
) -> Response:
    """Those to jobs of the agent's centre that it has not been told of; waits up to `wait` s for one."""
    centre = call.actor.centre
    if centre is None:
        raise Forbidden("only a centre's agent may do this")
    permit(call.actor, Action.AGENT, centre=centre)
    room, deadline = call.server.tunnels, asyncio.get_running_loop().time() + wait
    with call.server.hub.waiter(topic(centre)) as waiter:
        async with Departure(request, waiter) as client:
            found: tuple[Tunnel, ...] = room.told(centre)
            while not found and not waiter.closed:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or not await waiter.wait(left) or client.gone:
                    break
                found = room.told(centre)
    return RenderedJson(wire.encode(Wanted(found)), headers=_PLAIN)


@router.get("/v1/agent/tunnels/{tunnel}/in", response_class=Response)
async def fetch(tunnel: str, call: Caller) -> StreamingResponse:
    """For the agent: what the user's machine sends."""
    room = call.server.tunnels
    return _drawn(room.of_centre(tunnel, call.actor.centre).inward, room, None)


@router.put("/v1/agent/tunnels/{tunnel}/out", status_code=204, openapi_extra=_BYTES)
async def deliver(request: Request, tunnel: str, call: Caller) -> Response:
    """From the agent: what the job's node says."""
    room = call.server.tunnels
    ends = room.of_centre(tunnel, call.actor.centre)
    return await _poured(request, ends.outward)


async def _poured(request: Request, pipe: Pipe) -> Response:
    """The body, as it comes. A sender that is gone is the end."""
    try:
        async for chunk in request.stream():
            if chunk and not await pipe.put(chunk):
                break
    except ClientDisconnect:
        pass
    finally:
        await pipe.finish()
    return Response(status_code=204)


def _drawn(pipe: Pipe, room: Tunnels, ends: Ends | None) -> StreamingResponse:
    """`ends`: over when this is."""

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while data := await pipe.take():
                yield data
        finally:
            await pipe.finish()
            if ends is not None:
                room.drop(ends.tunnel.id)

    return StreamingResponse(chunks(), media_type="application/octet-stream", headers=_PLAIN)
