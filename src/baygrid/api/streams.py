"""Long answers: server-sent events and followed logs. Between two looks they hold nothing but memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import orjson
from starlette.concurrency import run_in_threadpool

from baygrid.api import render
from baygrid.api.edge import Call
from baygrid.app import logs
from baygrid.app.events import Events
from baygrid.app.logs import LogPart
from baygrid.app.problems import Problem
from baygrid.ports.records import Cursor

PAGE = 200
HEARTBEAT_S = 15.0
LOG_PIECE = 256 * 1024

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
                found = await run_in_threadpool(_look, call, read, after)
            except Problem:  # the token was revoked
                return


def _look(call: Call, read: Read, after: Cursor) -> Events:
    call.still()
    return read(after, PAGE)


async def log(call: Call, job: str, first: LogPart) -> AsyncIterator[bytes]:
    """From `first` on until the attempt is over and all of its log is sent."""
    part = first
    while True:
        topics = [f"job:{job}"] + ([f"log:{part.attempt}"] if part.attempt else [])
        with call.server.hub.waiter(*topics) as waiter:
            attempt = part.attempt
            while part.attempt == attempt:
                if part.data:
                    yield part.data
                if part.complete or waiter.closed:
                    return
                if part is not first and not part.data:
                    await waiter.wait(HEARTBEAT_S)
                try:
                    part = await run_in_threadpool(_log_part, call, job, part)
                except Problem:  # cancelled before it ran, or the token was revoked
                    return
            first = part


def _log_part(call: Call, job: str, before: LogPart) -> LogPart:
    call.still()
    at = before.offset + len(before.data)
    return logs.read(call.platform, call.actor, job, before.attempt or None, at, LOG_PIECE)


async def log_rest(call: Call, job: str, first: LogPart) -> AsyncIterator[bytes]:
    """From `first` to the size that it saw."""
    part = first
    while part.offset < first.size and part.data:
        yield part.data[: first.size - part.offset]
        if part.offset + len(part.data) >= first.size:
            return
        part = await run_in_threadpool(partial(_log_part, call, job, part))
