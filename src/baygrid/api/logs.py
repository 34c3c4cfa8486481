"""A job's log, whole or as it grows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, StreamingResponse

from baygrid.api import streams
from baygrid.api.edge import Call, Caller, Route
from baygrid.api.tails import PIECE
from baygrid.app import logs
from baygrid.app.logs import LogPart

router = APIRouter(route_class=Route, tags=["jobs"])


@router.get("/v1/jobs/{job}/logs", response_class=PlainTextResponse)
async def get_log(
    job: str,
    call: Caller,
    attempt: Annotated[str | None, Query(max_length=100)] = None,
    offset: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    follow: bool = False,
) -> StreamingResponse:
    """The bytes from `offset`, of the newest attempt unless one is named. `follow`: until the attempt is over
    and all is sent. Headers: Log-Attempt, Log-Size, Log-Complete (over, and all of it is here)."""
    first = await run_in_threadpool(logs.read, call.platform, call.actor, job, attempt, offset, PIECE)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    headers |= {"Log-Attempt": first.attempt, "Log-Size": str(first.size)}
    if follow:
        headers["Log-Complete"] = str(first.complete).lower()
        chunks = streams.log(call, job, first)
    else:
        complete = await run_in_threadpool(_complete, call, job, first)
        headers["Log-Complete"] = str(complete).lower()
        headers["Content-Length"] = str(max(0, first.size - offset))
        chunks = streams.log_rest(call, job, first)
    return StreamingResponse(chunks, media_type="text/plain; charset=utf-8", headers=headers)


def _complete(call: Call, job: str, first: LogPart) -> bool:
    """Whether nothing can come after `first.size`; where `first` does not reach so far, asks for the end."""
    if first.complete or not first.attempt or first.offset + len(first.data) >= first.size:
        return first.complete
    end = logs.read(call.platform, call.actor, job, first.attempt, first.size, 1)
    return end.complete and end.size == first.size
