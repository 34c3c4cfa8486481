"""SQL over shared tables, answered as a stream of Arrow batches while it is computed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from baygrid.api import data_bodies
from baygrid.api.edge import Caller, Responses, Route, reads
from baygrid.app import sql

router = APIRouter(route_class=Route, tags=["data"])

ARROW: Final = "application/vnd.apache.arrow.stream"
ANSWER: Responses = {
    200: {"description": "Arrow IPC stream", "content": {ARROW: {"schema": {"type": "string"}}}}
}


class _Client:
    """Whether it is still there. A query that nobody waits for is ended, whatever it is doing."""

    def __init__(self, request: Request) -> None:
        self._request, self._there = request, True
        self._watch = asyncio.create_task(self._look())

    def waits(self) -> bool:
        return self._there

    def end(self) -> None:
        self._there = False
        self._watch.cancel()

    async def _look(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            continue
        self._there = False


@router.post("/v1/sql", response_class=StreamingResponse, responses=ANSWER)
async def run_sql(
    request: Request, call: Caller, body: Annotated[data_bodies.Query, reads(data_bodies.Query)]
) -> StreamingResponse:
    """One SELECT over tables that contracts share with the project, named SHARE.SCHEMA.TABLE or as much of
    that as tells them apart. The last batch, an empty one, says in its metadata under "baygrid": `rows`,
    `more` (there was more than asked for, or than may be sent), `withheld` (groups of too few persons)."""
    client = _Client(request)
    pieces = sql.query(call.platform, call.actor, body.project, body.sql, body.rows, client.waits)
    try:
        first = await run_in_threadpool(next, pieces, b"")
    except BaseException:
        client.end()
        raise
    return StreamingResponse(_stream(client, first, pieces), media_type=ARROW)


async def _stream(client: _Client, first: bytes, rest: Generator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        while (piece := await run_in_threadpool(next, rest, None)) is not None:
            yield piece
    finally:
        client.end()
        # Not waited for: whoever is cancelled may wait for nothing.
        asyncio.get_running_loop().run_in_executor(None, rest.close)
