"""Where the client tells what it does: the command line on stderr, a program nowhere unless it asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Moved = Callable[[int], None]
"""Told how many bytes are there now."""


class Teller(Protocol):
    """`note` takes a sentence for people; `moving` tells how far `total` bytes of something have come."""

    def note(self, text: str) -> None: ...
    def moving(self, what: str, total: int) -> AbstractContextManager[Moved]: ...


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        """Nobody listens."""

    def moving(self, what: str, total: int) -> AbstractContextManager[Moved]:
        return nullcontext(lambda _: None)
