"""The store's part of the region's bottlenecks: what was asked for and not had, what kept jobs away, who
used what. Every question is about a stretch of time, and reads no more than that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class Unplaced:
    """So many jobs of one job file that were never placed; `cause`: why they are held, or how they ended."""

    state: JobState
    cause: str | None
    spec: Mapping[str, Any]
    jobs: int


@dataclass(frozen=True, slots=True)
class Charged:
    """Of one charge: who had it, its lines (as by `core.pricing.charge`), what vouchers paid (minor)."""

    organisation: str
    currency: str
    lines: tuple[Mapping[str, Any], ...]
    supported: int


class Bottlenecks(Protocol):
    """`first`: no id of what is asked about is smaller."""

    def unplaced(self, first: str, start: Instant, end: Instant) -> list[Unplaced]:
        """Of jobs submitted in [start, end) those that no centre was ever given."""
        ...

    def placed(self, first: str, start: Instant, end: Instant) -> Iterator[Mapping[str, Any]]:
        """Of attempts placed in [start, end) why each is where it is, as `Explanation.to_json` wrote it."""
        ...

    def charged(self, start: Instant, end: Instant) -> Iterator[Charged]:
        """What was posted in [start, end)."""
        ...
