"""Whoever follows a log shares one reader of its end with all who do: the store is asked once for them all.

Each follower keeps its own place. Who comes late, or reads more slowly than the log grows, finds that the
kept end begins beyond its place, and reads the store itself until it has come so far; it holds nobody up.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

from baygrid.api.waiters import Hub
from baygrid.app import logs
from baygrid.app.platform import Platform

T = TypeVar("T")

PIECE: Final = 256 * 1024
KEPT: Final = 1024 * 1024
"""Bytes of a log's end in memory, for all its followers together."""
LOOKING: Final = 4
"""So many threads read for all long answers together: pages and requests have the others."""
EACH_S: Final = 0.002
"""Between two looks so long for each follower: what one look brings is sent to all of them, and pages have
to get their turn. A few see a log grow at once, five hundred each second."""
TICK_S: Final = 15.0
"""So often followers are woken though nothing came: they look then whether they still may follow."""


class End:
    """The newest stretch of a log, from `start` to `end`: at most `kept` bytes, but all that came last."""

    def __init__(self, start: int, kept: int = KEPT) -> None:
        self.start = self.end = start
        self._kept = kept
        self._starts: list[int] = []
        self._parts: list[bytes] = []

    def extend(self, data: bytes) -> None:
        if not data:
            return
        self._starts.append(self.end)
        self._parts.append(data)
        self.end += len(data)
        while self.end - self.start > self._kept and len(self._parts) > 1:
            del self._starts[0], self._parts[0]
            self.start = self._starts[0]

    def piece(self, at: int) -> bytes | None:
        """From `at` on, about PIECE bytes at most; none where nothing came yet. None: it begins beyond."""
        if at < self.start:
            return None
        first = bisect_right(self._starts, at) - 1
        if first < 0:
            return b""
        data = self._parts[first][at - self._starts[first] :]
        for part in self._parts[first + 1 :]:
            if len(data) + len(part) > PIECE:
                break
            data += part
        return data


class Tail:
    """The end of one attempt's log as its reader last saw it. `over`: nothing more is read. `moved` is set at
    the next change: take it before you look. In one event loop with all its followers."""

    reader: asyncio.Task[None]

    def __init__(self, at: int) -> None:
        self.moved = asyncio.Event()
        self.over = False
        self.followers = 0
        self._end = End(at)
        self._failure: Exception | None = None

    @property
    def at(self) -> int:
        return self._end.end

    def piece(self, at: int) -> bytes | None:
        """As `End.piece`. Raises what has ended the reader, once all that it read is taken."""
        found = self._end.piece(at)
        if self._failure is not None and not found:
            raise self._failure
        return found

    def move(self, data: bytes = b"", failure: Exception | None = None, *, over: bool = False) -> None:
        self._end.extend(data)
        self._failure, self.over = failure, over
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


class Tails:
    """All logs that somebody follows at this server."""

    def __init__(self, platform: Platform, hub: Hub) -> None:
        self._platform, self._hub = platform, hub
        self._tails: dict[str, Tail] = {}
        self._looking = asyncio.Semaphore(LOOKING)

    async def look(self, work: Callable[[], T]) -> T:
        """In one of the few threads of long answers."""
        async with self._looking:
            return await run_in_threadpool(work)

    @contextmanager
    def follow(self, job: str, attempt: str, size: int) -> Iterator[Tail]:
        """`size`: the log's, as the follower saw it. The reader begins with its first follower and ends when
        the last one leaves."""
        tail = self._tails.get(attempt)
        if tail is None:
            tail = self._tails[attempt] = Tail(size)
            tail.reader = asyncio.create_task(self._read(job, attempt, tail))
        tail.followers += 1
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers:
                tail.reader.cancel()
                self._forget(attempt, tail)

    async def _read(self, job: str, attempt: str, tail: Tail) -> None:
        with self._hub.waiter(f"job:{job}", f"log:{attempt}") as waiter:
            try:
                while not tail.over:
                    part = await self.look(lambda: logs.tail(self._platform, attempt, tail.at, PIECE))
                    tail.move(part.data, over=part.complete or waiter.closed)
                    if not tail.over:
                        await (asyncio.sleep(tail.followers * EACH_S) if part.data else waiter.wait(TICK_S))
            except Exception as error:  # noqa: BLE001 - every follower raises it
                self._forget(attempt, tail)
                tail.move(failure=error, over=True)

    def _forget(self, attempt: str, tail: Tail) -> None:
        """Who comes now begins anew."""
        if self._tails.get(attempt) is tail:
            del self._tails[attempt]
