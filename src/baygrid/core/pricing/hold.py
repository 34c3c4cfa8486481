"""What is held before a job has cost anything: rounded up, so that it covers the charge of the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from baygrid.core.cost import Bought, Footprint, cost_at
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money

KILL_WAIT_S: Final = 30
"""Seconds held beyond time and grace: a centre signals KILL only when the grace is over, then has to see the
processes gone and write the time down. Slurm's own KillWait is 30 s too."""


def hold_at_placement(
    rates: Sequence[Tariff],
    footprint: Footprint,
    time_s: int,
    grace_s: int,
    at_most: Money | None = None,
    bought: Sequence[Bought] = (),
) -> Money:
    """What time, grace and kill wait (seconds) cost at the offer that was chosen, by the dearest of the
    `rates` that may be in force until then, `bought` of it at another rate.

    Never more than `at_most` (what is held already, or the job's limit), if given: what a job then costs
    above its hold falls to the platform.
    """
    seconds = time_s + grace_s + KILL_WAIT_S
    minor = max(cost_at(rate, rate.currency, footprint, seconds, bought) for rate in rates)
    whole = Money(minor, rates[0].currency)
    return whole if at_most is None or whole <= at_most else at_most
