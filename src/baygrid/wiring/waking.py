"""The outermost loops: threads that run steps and wait, woken by what the store committed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from baygrid.ports.basics import Clock, Instant
from baygrid.ports.store import Store

RETRY_MS = 1_000


class Bell:
    """Rung when one of its topics was touched. A ring while nobody waits is kept for the next `wait`."""

    def __init__(self, store: Store, topic: str) -> None:
        self._event = threading.Event()
        self._topics = {topic, "*"}
        store.subscribe(self._hear)

    def _hear(self, topics: frozenset[str]) -> None:
        if not self._topics.isdisjoint(topics):
            self._event.set()

    def ring(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Returns when rung, at the latest after `seconds`."""
        self._event.wait(max(0.0, seconds))
        self._event.clear()


class StepThread:
    """Runs a step again and again: when it said, when its bell rings, and a while after it failed."""

    def __init__(self, name: str, step: Callable[[Instant], Instant], bell: Bell, clock: Clock) -> None:
        self._step = step
        self._bell = bell
        self._clock = clock
        self._stopping = False
        self._log = structlog.get_logger(name)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float | None = None) -> None:
        """Returns when the step that is under way has ended; it is left alone after `within_s`."""
        self._stopping = True
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._stopping:
            now = self._clock()
            try:
                wake = self._step(now)
            except Exception:  # noqa: BLE001 - the loop outlives a database that is away
                self._log.exception("step failed, trying again")
                wake = now + RETRY_MS
            self._bell.wait((wake - self._clock()) / 1000)
