"""What every way of fetching gives: bytes from a place on, and what they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from baygrid.core.jobs.addresses import Address
from baygrid.staging.pace import Pace

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Stream:
    """`start`: where its first byte belongs: where was asked for, or 0 where all of it comes anew. `total`:
    how long the whole is, where that is known. `validator`: what tells this content from a later one; "" if
    nothing does."""

    start: int
    total: int | None
    validator: str
    chunks: Iterator[bytes]


class Way(Protocol):
    """One scheme's."""

    def open(
        self, at: Address, project: str, offset: int, validator: str, pace: Pace
    ) -> AbstractContextManager[Stream | None]:
        """From `offset` on if it still is what `validator` tells, else all of it. With offset -1 None where
        it still is that. Raises Broken, Failed, NotAllowed."""
        ...
