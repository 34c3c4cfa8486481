"""What tables look like now: a look costs a process, so one that is a moment old does."""

from __future__ import annotations

import threading
from collections.abc import Callable

from baygrid.ports.basics import Instant
from baygrid.ports.reader import Look

FRESH_MS = 10_000
MOST = 10_000
PATIENCE_S = 10.0


class Looks:
    """Of one server. Safe for several threads: who asks while another looks has that one's look, or none if
    that takes longer than PATIENCE_S."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Instant, Look]] = {}
        self._looking: dict[str, threading.Lock] = {}

    def look(self, key: str, now: Instant, work: Callable[[], Look]) -> Look | None:
        """`work` looks; what it raises is raised. None: another one looks, and is not done yet."""
        with self._lock:
            turn = self._looking.setdefault(key, threading.Lock())
        if not turn.acquire(timeout=PATIENCE_S):
            return None
        try:
            known = self._known.get(key)
            if known is not None and 0 <= now - known[0] < FRESH_MS:
                return known[1]
            found = work()
            with self._lock:
                if len(self._known) >= MOST:
                    self._known.clear()
                    self._looking.clear()
                self._known[key] = (now, found)
            return found
        finally:
            turn.release()
