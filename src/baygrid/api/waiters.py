"""Waiting without a thread: who waits for a topic of the store is woken by the commit that touches it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from types import TracebackType

from starlette.requests import Request

ANYTHING = "*"


class Hub:
    """The store tells it topics, from any thread; it wakes their waiters in their event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, set[Waiter]] = {}
        self.closed = False

    def hear(self, topics: frozenset[str]) -> None:
        """The store's listener; returns at once."""
        with self._lock:
            if not self._waiting:
                return
            names: Iterable[str] = list(self._waiting) if ANYTHING in topics else topics
            woken = {waiter for topic in names for waiter in self._waiting.get(topic, ())}
        for waiter in woken:
            waiter.wake()

    def close(self) -> None:
        """The server stops: every wait ends now, so that parked requests and streams finish."""
        self.closed = True
        self.hear(frozenset({ANYTHING}))

    def waiter(self, *topics: str) -> Waiter:
        """To be entered before the read that decides to wait, so that no change between the two is missed."""
        return Waiter(self, topics)

    def add(self, waiter: Waiter) -> None:
        with self._lock:
            for topic in waiter.topics:
                self._waiting.setdefault(topic, set()).add(waiter)

    def remove(self, waiter: Waiter) -> None:
        with self._lock:
            for topic in waiter.topics:
                waiting = self._waiting[topic]
                waiting.discard(waiter)
                if not waiting:
                    del self._waiting[topic]


class Waiter:
    """One waiting request, in the event loop that entered it."""

    def __init__(self, hub: Hub, topics: tuple[str, ...]) -> None:
        self.topics = topics
        self._hub = hub
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Waiter:
        self._hub.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.remove(self)

    def wake(self) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            self._loop.call_soon_threadsafe(self._event.set)

    @property
    def closed(self) -> bool:
        return self._hub.closed

    async def wait(self, seconds: float) -> bool:
        """True when woken since the last wait, False after `seconds`."""
        if not self.closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return False
        self._event.clear()
        return True


class Departure:
    """Wakes a waiter when the client of a request is gone, for requests whose body has been read."""

    def __init__(self, request: Request, waiter: Waiter) -> None:
        self._request, self._waiter = request, waiter
        self.gone = False

    async def __aenter__(self) -> Departure:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._waiter.wake()
