"""How long a job's work takes at a place, by what devices of it were measured to do."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baygrid.core.units import HOUR_S

MARGIN: Final = Fraction(5, 4)
"""A rating is of a quiet machine at a profile's own input; work is expected to take a quarter longer."""
MOST_S: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Work:
    """`thousandths` of `unit`."""

    unit: str
    thousandths: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What one device (an accelerator; a cpu, where there are none) does in an hour, in the mean of those
    that were measured at once: by which profile, and when (ms)."""

    per_hour: Fraction
    profile: str
    measured_at: int


def takes_s(work: Work, pace: Pace, devices: Fraction) -> int:
    """Seconds with `MARGIN`, rounded up, at least 1 and at most `MOST_S`. As many devices as there are do as
    many times the work: how far that holds is in no rating."""
    seconds = MARGIN * HOUR_S * Fraction(work.thousandths, 1000) / (pace.per_hour * devices)
    return min(MOST_S, max(1, -(-seconds.numerator // seconds.denominator)))
