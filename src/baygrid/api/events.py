"""What happens, as it happens: of a job, of a project, of the region."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from baygrid.api import paging, render, schemas, streams
from baygrid.api.edge import Call, Caller, Json, Responses, Route
from baygrid.app import events
from baygrid.ports.records import Cursor

router = APIRouter(route_class=Route, tags=["events"])

GATHER_S = 0.05
EVENT_STREAM = "text/event-stream"

After = Annotated[str | None, Query(max_length=50, description="only what came after this event's cursor")]
Follow = Annotated[
    bool, Query(description="a stream of server-sent events, as with Accept: text/event-stream")
]
LastEventId = Annotated[str | None, Header(description="as `after`: a client that reconnects sends it")]
STREAMED: Responses = {200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}}


@router.get("/v1/jobs/{job}/events", response_model=schemas.Listing[schemas.Event], responses=STREAMED)
async def job_events(
    request: Request,
    job: str,
    call: Caller,
    after: After = None,
    follow: Follow = False,
    limit: paging.Limit = paging.DEFAULT,
    last_event_id: LastEventId = None,
) -> Response:
    """A stream ends by itself after the job's final event."""
    read = partial(events.of_job, call.platform, call.actor, job)
    start = paging.event_cursor(last_event_id or after)
    if not follow and not _wants_stream(request):
        return _list(await run_in_threadpool(read, start, limit), limit)
    first = await run_in_threadpool(read, start, streams.PAGE)
    return event_stream(streams.events(call, read, first, start, f"job:{job}", 0.0))


@router.get("/v1/events", response_model=schemas.Listing[schemas.Event], responses=STREAMED)
async def region_events(
    request: Request,
    call: Caller,
    project: Annotated[str | None, Query(max_length=200)] = None,
    after: After = None,
    follow: Follow = False,
    limit: paging.Limit = paging.DEFAULT,
    last_event_id: LastEventId = None,
) -> Response:
    """A team's project; for an operator any or all. A stream has no end."""
    read = partial(_of_project, call, project)
    start = paging.event_cursor(last_event_id or after)
    if not follow and not _wants_stream(request):
        return _list(await run_in_threadpool(read, start, limit), limit)
    first = await run_in_threadpool(read, start, streams.PAGE)
    name = project or call.actor.project
    topic = f"project:{name}" if name else "events"
    return event_stream(streams.events(call, read, first, start, topic, GATHER_S))


def _of_project(call: Call, project: str | None, after: Cursor, limit: int) -> events.Events:
    return events.of_project(call.platform, call.actor, project, after, limit)


def _wants_stream(request: Request) -> bool:
    return EVENT_STREAM in request.headers.get("accept", "")


def _list(found: events.Events, limit: int) -> Json:
    next = str(found.items[-1][0]) if len(found.items) == limit else None
    return Json(render.items((render.event(cursor, event) for cursor, event in found.items), next))


def event_stream(chunks: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(
        chunks, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
