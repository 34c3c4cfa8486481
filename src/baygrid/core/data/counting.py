"""Persons against the thresholds of the law: what was reached, what is near, and when it will be.

From which day on persons count, and which thresholds there are, the rulebook says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from baygrid.core.days import beginning, day_of

WARN_AT: Final = 0.9
"""The share of a threshold at which its exporter is warned."""
RATE_DAYS: Final = 90
"""A forecast goes by the rate of so many days."""

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `least` persons on another rule holds. `kind`: "spi" counts those of whom something sensitive is
    shown, "pi" the others."""

    kind: str
    least: int


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct persons at a moment."""

    at: int
    pi: int
    spi: int

    def of(self, threshold: Threshold) -> int:
        return self.spi if threshold.kind == "spi" else self.pi


def warned(count: Count, threshold: Threshold) -> bool:
    """Whether it has come so near to a threshold that its exporter is told."""
    return threshold.least * WARN_AT <= count.of(threshold) < threshold.least


def passed(before: Count, after: Count, thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """Those that were reached between the two."""
    return tuple(it for it in thresholds if before.of(it) < it.least <= after.of(it))


def forecast(history: Sequence[Count], since: int, now: int, threshold: Threshold) -> date | None:
    """The day on which the threshold is reached, if persons are added as in the last RATE_DAYS; None: not
    this year, or not at this rate. `history`: what was counted since `since`, oldest first; before the first
    there was nobody."""
    if not history:
        return None
    start = max(now - RATE_DAYS * _DAY_MS, since)
    earlier = [it for it in history if it.at <= start]
    first = earlier[-1].of(threshold) if earlier else 0
    have, took = history[-1].of(threshold), max(now - start, _DAY_MS)
    if have >= threshold.least:
        return next(day_of(it.at) for it in history if it.of(threshold) >= threshold.least)
    if have <= first:
        return None
    wait = -((threshold.least - have) * took // -(have - first))  # rounded up
    year = day_of(now).year
    if now + wait >= beginning(date(year + 1, 1, 1)):
        return None
    return day_of(now + wait)
