"""Threads that wait in the agent's stead: each takes one call at a time and brings back what came of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

Call = tuple[str, Any, Callable[[], Any]]


class Mailbox:
    """What the threads bring, with a descriptor that is readable while something is there."""

    def __init__(self) -> None:
        self._letters: SimpleQueue[tuple[str, Any, Any]] = SimpleQueue()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        os.close(self._event)  # only when no thread can ring any more

    def fileno(self) -> int:
        return self._event

    def put(self, kind: str, about: Any, result: Any) -> None:
        """From any thread."""
        self._letters.put((kind, about, result))
        self.ring()

    def ring(self) -> None:
        """Also from a signal's handler: no lock."""
        os.eventfd_write(self._event, 1)

    def take(self) -> list[tuple[str, Any, Any]]:
        with suppress(BlockingIOError):
            os.eventfd_read(self._event)
        found = []
        while not self._letters.empty():
            found.append(self._letters.get())
        return found


class Hands:
    """`count` threads over one queue. They are daemons: a call that hangs does not keep the process."""

    def __init__(self, name: str, count: int, mailbox: Mailbox) -> None:
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._mailbox = mailbox
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def give(self, kind: str, about: Any, call: Callable[[], Any]) -> None:
        """Its result, or the exception that it raised, comes by mail."""
        self._calls.put((kind, about, call))

    def stop(self, timeout_s: float) -> None:
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout_s)

    def _work(self) -> None:
        while (given := self._calls.get()) is not None:
            kind, about, call = given
            try:
                result = call()
            except Exception as error:  # noqa: BLE001 - the loop decides
                result = error
            self._mailbox.put(kind, about, result)
