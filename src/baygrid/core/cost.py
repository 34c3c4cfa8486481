"""What a time costs at most: the figure that placement compares, and the one that pricing holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from baygrid.core.units import DECIMALS, HOUR_S, MIB_PER_GIB


class Prices(Protocol):
    """Major units of one currency per hour of one accelerator, one cpu, one GiB of memory."""

    @property
    def accelerator_hour(self) -> Fraction: ...
    @property
    def cpu_hour(self) -> Fraction: ...
    @property
    def gib_hour(self) -> Fraction: ...


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a job has for itself: `nodes` nodes, each with `cpus`, MiB of memory and `accelerators`; of each
    of these `accelerator_share` thousandths."""

    nodes: int
    cpus: int
    memory_mib: int
    accelerators: int = 0
    accelerator_share: int = 1000


def cost_at(prices: Prices, currency: str, footprint: Footprint, seconds: int) -> int:
    """Minor units that so many seconds cost at most at these prices: each item rounded up."""
    scale = seconds * footprint.nodes * 10 ** DECIMALS[currency]
    total = 0
    for price, amount, per in (
        (prices.accelerator_hour, footprint.accelerators * footprint.accelerator_share, HOUR_S * 1000),
        (prices.cpu_hour, footprint.cpus, HOUR_S),
        (prices.gib_hour, footprint.memory_mib, HOUR_S * MIB_PER_GIB),
    ):
        total -= -price.numerator * amount * scale // (price.denominator * per)
    return total
