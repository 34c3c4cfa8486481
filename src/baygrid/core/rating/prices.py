"""What a unit of work costs at rated devices."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from baygrid.core.cost import Prices
from baygrid.core.rating.value import Rating
from baygrid.core.terms import HOUR_MS, HOURS, KWH
from baygrid.core.units import MIB_PER_GIB, WORK

WHOLE: Final = 1000
"""Thousandths of an accelerator."""


def price(rating: Rating, prices: Prices) -> Fraction:
    """Major units for as many units of work as `WORK` says (a million images, an hour of audio, a km): what
    the measured nodes cost in an hour, over what they do in it; energy at the mean of the day's prices."""
    hour = (
        prices.accelerator_hour * rating.accelerators
        + prices.cpu_hour * rating.cpus
        + prices.gib_hour * Fraction(rating.memory_mib, MIB_PER_GIB)
    )
    energy = prices.terms.energy if prices.terms is not None else None
    if energy is not None:
        used = energy.milliwatts(1, rating.cpus, rating.accelerators, WHOLE)
        hour += Fraction(used * HOUR_MS, KWH) * sum(energy.price_kwh) / HOURS
    return hour * WORK[rating.unit] / Fraction(rating.units_per_hour)
