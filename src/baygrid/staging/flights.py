"""One download for all that want the same at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

LOOK_S: Final = 0.25


@dataclass(slots=True)
class Flight:
    """How far it is, for those who wait for it."""

    done: int = 0
    total: int | None = None


class Flights:
    """By a key; whoever comes first goes, the others wait for it and look again."""

    def __init__(self) -> None:
        self._going: dict[str, Flight] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, key: str, waiting: Callable[[Flight], None]) -> Iterator[Flight]:
        """Until nobody else has this key. `waiting` hears from time to time how far the other is, and may
        raise."""
        with self._changed:
            while (other := self._going.get(key)) is not None:
                self._changed.wait(LOOK_S)
                waiting(other)
            mine = self._going[key] = Flight()
        try:
            yield mine
        finally:
            with self._changed:
                del self._going[key]
                self._changed.notify_all()
