"""Figures of the registry that were counted already: to count them is to read the whole of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final

from baygrid.ports.registry import REGISTRY
from baygrid.ports.store import Store

MOST: Final = 256
_TOPICS: Final = frozenset({REGISTRY, "*"})


class Counted:
    """Of one server, until it hears that the registry has changed. Safe for several threads; what is asked
    for while another counts it is counted once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._known: dict[Hashable, Any] = {}
        self._generation = 0
        self._hears = False

    def of(self, key: Hashable, count: Callable[[], Any]) -> Any:
        """What `count` raises is raised, and not kept."""
        with self._lock:
            if not self._hears:
                self._store.subscribe(self._hear)
                self._hears = True
            if key in self._known:
                return self._known[key]
        with self._counting:
            with self._lock:
                if key in self._known:
                    return self._known[key]
                generation = self._generation
            found = count()
            with self._lock:
                if generation == self._generation:
                    if len(self._known) >= MOST:
                        self._known.clear()
                    self._known[key] = found
            return found

    def _hear(self, topics: frozenset[str]) -> None:
        if not _TOPICS.isdisjoint(topics):
            with self._lock:
                self._generation += 1
                self._known.clear()
