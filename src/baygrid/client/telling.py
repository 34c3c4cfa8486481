"""Where the client tells what it does: the command line on stderr, a program nowhere unless it asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Moved = Callable[[int], None]
"""Told how many bytes are there now."""


class Teller(Protocol):
    """`note` takes a sentence for people; `moving` tells how far `total` bytes of something have come."""

    @property
    def note(self) -> Callable[[str], None]: ...
    def moving(self, what: str, total: int) -> AbstractContextManager[Moved]: ...


class Noting:
    """Sentences go to one function; how far something has come is not told."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note

    def moving(self, what: str, total: int) -> AbstractContextManager[Moved]:
        return nullcontext(lambda _: None)
