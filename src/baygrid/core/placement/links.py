"""What a centre's link to the exchange carries: measured where that is fresh, else as its operator declared.

Bandwidth is in bit/s, latency in microseconds, instants in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from baygrid.core.placement.policy import CentrePolicy

KEPT: Final = 5
"""So many measurements of a link count: one that fell into a busy moment does not move the median."""
FRESH_MS: Final = 3 * 3_600_000
"""Links are measured about every hour; what is older says nothing of now."""
_DIGITS: Final = 2
"""Of a bandwidth that decides: more would be noise, and each change costs the planner its tables."""


class Origin(StrEnum):
    """Where the figure of a link comes from."""

    MEASURED = "measured"
    DECLARED = "declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. `bit_s` None: no data came. `sent` small questions, of which `lost` had no answer;
    `least_us` and `median_us`: how long the others took to and fro (None: all were lost)."""

    at: int
    bit_s: int | None
    least_us: int | None
    median_us: int | None
    sent: int
    lost: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The last samples of one link together. `bit_s`, `median_us`: medians; `loss`: from 0 to 1; `at`: of the
    newest sample, `carried_at`: of the newest with a bandwidth."""

    bit_s: int | None
    least_us: int | None
    median_us: int | None
    loss: float
    at: int
    carried_at: int | None


@dataclass(frozen=True, slots=True)
class Speed:
    """`bit_s` 0: unknown, and taken as instant."""

    bit_s: int
    origin: Origin
    measured_at: int | None = None

    def transfer_s(self, bytes: int) -> int:
        """Whole seconds, rounded up."""
        return -(-bytes * 8 // self.bit_s) if self.bit_s else 0

    def __str__(self) -> str:
        """Such as "12.5 Mbit/s"."""
        return f"{self.bit_s / 1e6:.4g} Mbit/s"


def summary(samples: Sequence[Sample]) -> Measured:
    """Of at least one sample, oldest first."""
    speeds = [one.bit_s for one in samples if one.bit_s is not None]
    leasts = [one.least_us for one in samples if one.least_us is not None]
    medians = [one.median_us for one in samples if one.median_us is not None]
    return Measured(
        round(median(speeds)) if speeds else None,
        min(leasts, default=None),
        round(median(medians)) if medians else None,
        sum(one.lost for one in samples) / max(1, sum(one.sent for one in samples)),
        samples[-1].at,
        max((one.at for one in samples if one.bit_s is not None), default=None),
    )


def fresh(measured: Measured, now: int) -> Speed | None:
    """What may decide now: two digits of the bandwidth, if it is not too old."""
    if measured.bit_s is None or measured.carried_at is None or now - measured.carried_at > FRESH_MS:
        return None
    step = 10 ** max(0, len(str(measured.bit_s)) - _DIGITS)
    return Speed(measured.bit_s // step * step, Origin.MEASURED, measured.carried_at)


def speed(measured: Speed | None, declared: CentrePolicy) -> Speed:
    """The one of the three that counts."""
    if measured is not None:
        return measured
    if declared.mbit_s:
        return Speed(declared.mbit_s * 10**6, Origin.DECLARED)
    return Speed(0, Origin.UNKNOWN)
