"""Contracts for computing: listings of an offer's units in a period at another price than the tariff's.

A unit is one accelerator of the offer, with so many cpus and so much memory of its node; of a plain offer it
is one cpu with memory. Amounts of units are whole thousandths, as shares of accelerators are; unit-hours are
whole thousandths of a unit times milliseconds, so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from baygrid.core.pricing.charge import HOUR_MS
from baygrid.core.units import Money

UNIT: Final = 1000
"""Thousandths in a unit."""
UNIT_HOUR: Final = UNIT * HOUR_MS


class Kind(StrEnum):
    """`SPOT`: whoever's job yields to all others has it while it is free. `RESERVED`: paid when bought, for
    the whole period. `COMMITTED`: so many unit-hours, paid as they are used and at the end of the period."""

    SPOT = "spot"
    RESERVED = "reserved"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a listing sells, in [start, end) (milliseconds since 1970, UTC): units of an offer at `rate`
    major units of `currency` an hour, each with `cpus` (of a plain offer: 0) and MiB of memory."""

    listing: str
    kind: Kind
    offer: str
    currency: str
    rate: Fraction
    cpus: int
    memory_mib: int
    start: int
    end: int

    def left(self, now: int) -> int:
        """Milliseconds of the period that are yet to come."""
        return max(0, self.end - max(self.start, now))

    def price(self, worth: int) -> Money:
        """What so many thousandths of a unit times milliseconds cost, rounded once."""
        return Money.of(self.rate * Fraction(worth, UNIT_HOUR), self.currency)
