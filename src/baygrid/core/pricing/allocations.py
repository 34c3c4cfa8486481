"""Allocations: what a project may spend, from when, until when, what for, and where the money is from.

Which charge was paid out of which allocation is never stored: it follows from both, here. An allocation
counts while it is in force; after its end what nobody used of it goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baygrid.core.units import Money


class Source(StrEnum):
    """Where the money is from."""

    GRANT = "grant"  # the region gives it
    PAYMENT = "payment"  # the project has paid it in
    CREDIT = "credit"  # the project will pay it when it is invoiced


_FIRST: Final = {source: place for place, source in enumerate(Source)}

DAY_MS: Final = 86_400_000
WARN_DAYS: Final = (30, 7)
"""So many days before it ends an allocation is warned of, once each; most first."""
LOOK_AGAIN_MS: Final = 60_000
"""After so long an allocation that has ended is looked at again, where jobs still held its money."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """`amount` that `project` may spend from `start` to before `end` (milliseconds since 1970, UTC; None:
    without end). `returned`: minor units that went back after the end. Raises ValueError where it ends before
    it starts, or more was returned than there was."""

    id: str
    project: str
    source: Source
    amount: Money
    start: int
    end: int | None
    purpose: str
    returned: int = 0

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"allocation {self.id} ends before it starts")
        if not 0 <= self.returned <= self.amount.minor:
            raise ValueError(f"allocation {self.id} of {self.amount} cannot have returned {self.returned}")

    @property
    def kept(self) -> int:
        """Minor units that were not returned."""
        return self.amount.minor - self.returned

    def ended(self, at: int) -> bool:
        return self.end is not None and self.end <= at

    def in_force(self, at: int) -> bool:
        return self.start <= at and not self.ended(at)


def drawn(allocations: Sequence[Allocation], charges: Sequence[tuple[int, int]]) -> dict[str, int]:
    """How many minor units of each allocation of one project (by id) its charges (at, minor units) have used.

    The earliest charge draws first, from the allocations in force at that moment: what ends soonest first, of
    these grants before payments before credit, then by id. What these cannot cover was held while an earlier
    one was in force and so was kept back from it: it is drawn in the same order from what has ended, last
    from what has not begun. No allocation gives more than it kept; of charges above all of them together the
    rest is in none. How a charge is split, or in which order those of one moment come, changes nothing.

    Raises ValueError for a negative charge.
    """
    used = {it.id: 0 for it in allocations}
    for at, minor in sorted(charges):
        if minor < 0:
            raise ValueError(f"a charge cannot be negative: {minor}")
        for it in sorted(allocations, key=lambda it: _turn(it, at)):
            part = min(minor, it.kept - used[it.id])
            used[it.id] += part
            minor -= part
            if not minor:
                break
    return used


def returnable(allocation: Allocation, used: int, free: int, now: int) -> int:
    """Minor units that go back now: once it has ended, what was not drawn (`used` was), but never what the
    project holds for its jobs, so no more than it has `free`."""
    return max(0, min(allocation.kept - used, free)) if allocation.ended(now) else 0


def netted(spending: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What was spent (at, minor units) as charges: what was paid back, a negative amount, undoes the latest
    spending before it."""
    left: list[tuple[int, int]] = []
    for at, minor in sorted(spending, key=lambda it: (it[0], it[1] < 0)):
        while minor < 0 and left:
            since, before = left.pop()
            at, minor = since, before + minor
        if minor > 0:
            left.append((at, minor))
    return left


def warning(allocation: Allocation, warned: int | None, now: int) -> int | None:
    """The days of `WARN_DAYS` for which it is to be warned of now; `warned`: those for which it was last. An
    allocation is not warned of before it has begun; of two warnings that are due only the later is told."""
    if allocation.end is None or not allocation.in_force(now):
        return None
    due = [days for days in WARN_DAYS if allocation.start < allocation.end - days * DAY_MS <= now]
    return due[-1] if due and (warned is None or due[-1] < warned) else None


def next_look(allocation: Allocation, now: int, *, settled: bool) -> int | None:
    """When something is to be done for it next: it begins, is warned of, or ends. None: never again.
    `settled`: that it has ended, and has nothing more to return."""
    if now < allocation.start:
        return allocation.start
    if allocation.end is None or settled:
        return None
    warnings = [allocation.end - days * DAY_MS for days in WARN_DAYS]
    return next((at for at in (*warnings, allocation.end) if at > now), now + LOOK_AGAIN_MS)


def _turn(it: Allocation, at: int) -> tuple[int, bool, int, int, str]:
    place = 0 if it.in_force(at) else 1 if it.ended(at) else 2
    return (place, it.end is None, it.end or 0, _FIRST[it.source], it.id)
