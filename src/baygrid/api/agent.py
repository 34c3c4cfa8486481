"""The agent's own calls: how it joins and renews its credential, those for jobs (see `ports.messages`), and
what it measures its link with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from baygrid.api import bodies, render, schemas
from baygrid.api.edge import Call, Caller, Invitee, Json, RenderedJson, Route, parse_json, read_body, reads
from baygrid.api.waiters import Departure, Waiter
from baygrid.app import centres, exchange, joining, logs, sync
from baygrid.app.offers import Rates
from baygrid.app.problems import Invalid
from baygrid.ports import wire
from baygrid.ports.messages import Desired, Report, ReportAnswer

router = APIRouter(route_class=Route, tags=["agent"])

MAX_WAIT_S = 60
_NOISE = os.urandom(1 << 16)  # so that nothing on the way can make it smaller
Number = Annotated[int, Query(ge=0, lt=2**62)]


@router.get("/v1/agent/join", response_model=schemas.Joining)
def get_joining(call: Invitee) -> Json:
    """What a join token is for."""
    row, token = joining.invited(call.platform, call.actor)
    centre = render.centre(row, reachable=centres.reachable(row, call.platform.clock()), nodes=True)
    expires = render.instant_or_none(token.expires_at)
    used = token.used_by is not None
    return Json({"centre": centre, "expires_at": expires, "with_offers": token.with_offers, "used": used})


@router.post("/v1/agent/join", response_model=schemas.Joined)
def join(call: Invitee, body: Annotated[bodies.NewAgent, reads(bodies.NewAgent)]) -> Json:
    """Exchanges a join token for a credential that the agent made. May be repeated with the same key."""
    proposals = [
        joining.Proposal(
            it.partition, it.accelerator, it.currency, Rates(it.accelerator_hour, it.cpu_hour, it.gib_hour)
        )
        for it in body.offers
    ]
    row, made = joining.join(
        call.platform, call.actor, body.public_key, body.credential, body.signature, proposals
    )
    centre = render.centre(row, reachable=centres.reachable(row, call.platform.clock()), nodes=True)
    return Json({"centre": centre, "offers": [offer.id for offer in made]})


@router.post("/v1/agent/credential", status_code=204, response_class=Response)
def renew(call: Caller, body: Annotated[bodies.NewCredential, reads(bodies.NewCredential)]) -> Response:
    """What an agent that was asked to makes its next credential; the first use of it ends the present one."""
    joining.renew(call.platform, call.actor, body.credential)
    return Response(status_code=204)


@router.post("/v1/agent/report", response_model=ReportAnswer)
async def report(request: Request, call: Caller) -> Response:
    """409 for an older incarnation or seq than the last one taken."""
    body = await read_body(request)
    return RenderedJson(await run_in_threadpool(_report, call, body))


def _report(call: Call, body: bytes) -> bytes:
    document = parse_json(body)  # here, since megabytes take time
    try:
        message = wire.from_json(Report, document)
    except ValueError as error:
        raise Invalid.at("", f"this is no report: {error}") from None
    answer = sync.take_report(call.platform, call.actor, message)
    for attempt, why in answer.refused:
        call.server.refusals.note(call.actor.centre or "", "attempt", attempt, why)
    return wire.encode(answer)


@router.get("/v1/agent/desired", response_model=Desired)
async def desired(
    request: Request,
    call: Caller,
    incarnation: Number,
    after: Number = 0,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = 0,
) -> Response:
    """What should run and stop, as far as it is newer than `after`; waits up to `wait` s for something."""
    deadline = asyncio.get_running_loop().time() + wait
    with call.server.hub.waiter(f"centre:{call.actor.centre}") as waiter:
        found = await run_in_threadpool(_desired, call, incarnation, after)
        if found is None and wait > 0:
            async with Departure(request, waiter) as client:
                found = await _park(call, incarnation, after, waiter, client, deadline)
    return RenderedJson(wire.encode(found or Desired(after, (), ())))


async def _park(
    call: Call, incarnation: int, after: int, waiter: Waiter, client: Departure, deadline: float
) -> Desired | None:
    while not (client.gone or waiter.closed):
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0 or not await waiter.wait(left) or client.gone:
            return None
        found = await run_in_threadpool(_desired, call, incarnation, after)
        if found is not None:
            return found
    return None


def _desired(call: Call, incarnation: int, after: int) -> Desired | None:
    return sync.desired(call.platform, call.still().actor, incarnation, after)


@router.get("/v1/agent/exchange", response_class=StreamingResponse)
async def exchange_bytes(
    call: Caller, bytes: Annotated[int, Query(ge=0, le=exchange.PROBE_BYTES)] = 0
) -> StreamingResponse:
    """So many bytes that mean nothing: an agent measures its link by them."""
    exchange.check_agent(call.actor)
    headers = {"Content-Length": str(bytes)}
    return StreamingResponse(_noise(bytes), media_type="application/octet-stream", headers=headers)


async def _noise(left: int) -> AsyncIterator[bytes]:
    while left > 0:
        yield _NOISE[:left]
        left -= len(_NOISE)


@router.put(
    "/v1/agent/logs/{attempt}",
    response_model=schemas.LogSize,
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
)
async def append_log(
    request: Request,
    attempt: str,
    call: Caller,
    offset: Number,
    baygrid_attempt_token: Annotated[str, Header(max_length=200)],
) -> Json:
    """Adds bytes from `offset` on, at most 4 MiB; the answer says how much is held, and so where to go on."""
    data = await request.body()
    size = await run_in_threadpool(
        logs.append, call.platform, call.actor, attempt, baygrid_attempt_token, offset, data
    )
    return Json({"size": size})
