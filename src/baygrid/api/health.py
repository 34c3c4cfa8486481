"""Whether this server works, and what it counts."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from baygrid import __version__
from baygrid.api import render, schemas
from baygrid.api.edge import Caller, Json, Route, Server, server_of
from baygrid.api.problems import Unavailable
from baygrid.app.health import current_term, jobs_by_state, standing

router = APIRouter(route_class=Route, tags=["health"])
log = structlog.get_logger("baygrid.api")

PATIENCE_S = 2.0


async def _term(server: Server) -> int:
    """Raises Unavailable when the store does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            # Not in the threads of the requests: busy is not broken. A read that hangs is left behind.
            return await asyncio.to_thread(current_term, server.platform)
    except Exception as error:
        log.warning("the store does not answer", error=repr(error))
        raise Unavailable("the store does not answer") from error


@router.get("/healthz", response_model=schemas.Health)
async def healthz(request: Request) -> Json:
    """503 when the store does not answer."""
    server = server_of(request)
    term = await _term(server)
    return Json({"status": "ok", "version": __version__, "role": server.role(), "term": term})


@router.get("/v1/standing", response_model=schemas.Standing)
def get_standing(call: Caller) -> Json:
    """Who leads, what waits and why, which agents are late; for operators."""
    it, now = standing(call.platform, call.actor), call.platform.clock()
    return Json(
        {
            "led": it.led(now),
            "leader": it.leader,
            "term": it.term,
            "queued": it.queued,
            "active": it.active,
            "held": it.held,
            "oldest_queued_at": None if it.oldest is None else render.instant(it.oldest),
            "centres": it.centres,
            "late": it.late,
            "never_reported": list(it.new),
        }
    )


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    server = server_of(request)
    term = await _term(server)
    jobs = await asyncio.to_thread(jobs_by_state, server.platform)
    text = await asyncio.to_thread(server.metrics.render, jobs, server.role(), term)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
