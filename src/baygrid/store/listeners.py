"""Who wants to hear of commits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

Listener = Callable[[frozenset[str]], None]
EVERYTHING = frozenset({"*"})

_log = logging.getLogger(__name__)


class Listeners:
    """Calls every listener with the topics of a commit. What a listener raises is logged and harms nobody."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> None:
        self._listeners = (*self._listeners, listener)

    def tell(self, topics: Iterable[str]) -> None:
        heard = frozenset(topics)
        if not heard:
            return
        for listener in self._listeners:
            try:
                listener(heard)
            except Exception:  # noqa: BLE001 - it is logged, and the commit stands
                _log.exception("a listener of the store failed")
