"""Long answers: server-sent events and followed logs. Between two looks they hold nothing but memory, and a
few threads look for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import orjson
from starlette.concurrency import run_in_threadpool

from baygrid.api import render
from baygrid.api.edge import Call
from baygrid.api.tails import PIECE
from baygrid.app import logs
from baygrid.app.events import Events
from baygrid.app.logs import LogPart
from baygrid.app.problems import Problem
from baygrid.ports.records import Cursor

PAGE = 200
HEARTBEAT_S = 15.0

Read = Callable[[Cursor, int], Events]


async def events(
    call: Call, read: Read, first: Events, after: Cursor, topic: str, gather_s: float
) -> AsyncIterator[bytes]:
    """`first` was read by the endpoint, so that a problem could still be an answer. `gather_s`: after a wake
    wait so long before looking, where every commit of the region may wake us."""
    found = first
    with call.server.hub.waiter(topic) as waiter:
        while True:
            for cursor, event in found.items:
                after = cursor
                data = orjson.dumps(render.event(cursor, event)).decode()
                yield f"id: {cursor}\nevent: {event.kind}\ndata: {data}\n\n".encode()
            if found.ended or waiter.closed:
                return
            if found is not first and len(found.items) < PAGE:
                while not await waiter.wait(HEARTBEAT_S):
                    yield b":\n\n"
                await asyncio.sleep(gather_s)
            try:
                found = await call.server.tails.look(partial(_look, call, read, after))
            except Problem:  # the token was revoked
                return


def _look(call: Call, read: Read, after: Cursor) -> Events:
    call.still()
    return read(after, PAGE)


async def log(call: Call, job: str, first: LogPart) -> AsyncIterator[bytes]:
    """From `first` on until the attempt is over and all of its log is sent."""
    part, tails, may = first, call.server.tails, _May(call, job)
    try:
        if not part.attempt:
            part = await _begun(call, job, part)
        if part.data:
            yield part.data
        if part.complete or not part.attempt:
            return
        at = part.offset + len(part.data)
        with tails.follow(job, part.attempt, part.size) as tail:
            while True:
                moved = tail.moved
                await may.still()
                data = tail.piece(at)
                if data is None:
                    part = await tails.look(partial(_log_part, call, job, part.attempt, at))
                    data = part.data
                if data:
                    yield data
                    at += len(data)
                elif tail.over or part.complete:
                    return
                else:
                    await moved.wait()
    except Problem:  # cancelled before it ran, or who follows may not any more
        return


async def _begun(call: Call, job: str, part: LogPart) -> LogPart:
    """Once there is an attempt, or the server stops. Raises Problem."""
    with call.server.hub.waiter(f"job:{job}") as waiter:
        while not waiter.closed:
            part = await call.server.tails.look(partial(_log_part, call, job, "", part.offset))
            if part.attempt:
                break
            await waiter.wait(HEARTBEAT_S)
    return part


class _May:
    """Whether who follows may still do so. That costs reads only when some token, session or membership has
    changed, and now and then because they also expire."""

    def __init__(self, call: Call, job: str) -> None:
        self._call, self._job = call, job
        self._judged: tuple[int, float] | None = None

    async def still(self) -> None:
        """Raises Problem."""
        generation, now = self._call.server.sessions.generation, self._call.platform.clock()
        if self._judged is not None:
            before, at = self._judged
            if before == generation and 0 <= now - at < HEARTBEAT_S * 1000:
                return
        await self._call.server.tails.look(self._judge)
        self._judged = generation, now

    def _judge(self) -> None:
        logs.may_read(self._call.platform, self._call.still().actor, self._job)


def _log_part(call: Call, job: str, attempt: str, at: int) -> LogPart:
    return logs.read(call.platform, call.still().actor, job, attempt or None, at, PIECE)


async def log_rest(call: Call, job: str, first: LogPart) -> AsyncIterator[bytes]:
    """From `first` to the size that it saw."""
    part = first
    while part.offset < first.size and part.data:
        yield part.data[: first.size - part.offset]
        if part.offset + len(part.data) >= first.size:
            return
        at = part.offset + len(part.data)
        part = await run_in_threadpool(partial(_log_part, call, job, part.attempt, at))
