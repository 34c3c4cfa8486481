"""What a unit of work costs at rated devices."""

from __future__ import annotations

from fractions import Fraction

from baygrid.core.cost import Prices
from baygrid.core.rating.value import Rating
from baygrid.core.units import MIB_PER_GIB, WORK


def price(rating: Rating, prices: Prices) -> Fraction:
    """Major units for as many units of work as `WORK` says (a million images, an hour of audio, a km): what
    the measured nodes cost in an hour, over what they do in it."""
    hour = (
        prices.accelerator_hour * rating.accelerators
        + prices.cpu_hour * rating.cpus
        + prices.gib_hour * Fraction(rating.memory_mib, MIB_PER_GIB)
    )
    return hour * WORK[rating.unit] / Fraction(rating.units_per_hour)
