"""What is held before a job has cost anything: rounded up, so that it covers the charge of the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import DECIMALS, Money

HOUR_S: Final = 3600
MIB_PER_GIB: Final = 1024

KILL_WAIT_S: Final = 30
"""Seconds held beyond time and grace: a centre signals KILL only when the grace is over, then has to see the
processes gone and write the time down. Slurm's own KillWait is 30 s too."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a job has for itself: `nodes` nodes, each with `cpus`, MiB of memory and `accelerators`; of each
    of these `accelerator_share` thousandths."""

    nodes: int
    cpus: int
    memory_mib: int
    accelerators: int = 0
    accelerator_share: int = 1000


def cost_at(rate: Tariff, footprint: Footprint, seconds: int) -> int:
    """Minor units that so many seconds cost at most under this one tariff: each item rounded up."""
    scale = seconds * footprint.nodes * 10 ** DECIMALS[rate.currency]
    total = 0
    for price, amount, per in (
        (rate.accelerator_hour, footprint.accelerators * footprint.accelerator_share, HOUR_S * 1000),
        (rate.cpu_hour, footprint.cpus, HOUR_S),
        (rate.gib_hour, footprint.memory_mib, HOUR_S * MIB_PER_GIB),
    ):
        total -= -price.numerator * amount * scale // (price.denominator * per)
    return total


def hold_at_placement(
    rate: Tariff,
    footprint: Footprint,
    time_s: int,
    grace_s: int,
    at_most: Money | None = None,
) -> Money:
    """What time, grace and kill wait (seconds) cost at the offer that was chosen.

    Never more than `at_most` (what is held already, or the job's limit), if given: what a job then costs
    above its hold falls to the platform.
    """
    whole = Money(cost_at(rate, footprint, time_s + grace_s + KILL_WAIT_S), rate.currency)
    return whole if at_most is None or whole <= at_most else at_most
