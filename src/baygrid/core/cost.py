"""What a time costs at most: the figure that placement compares, and the one that pricing holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from baygrid.core.terms import KWH, Terms
from baygrid.core.units import BYTES_PER_GIB, DECIMALS, HOUR_S, MIB_PER_GIB


class Prices(Protocol):
    """Major units of one currency per hour of one accelerator, one cpu, one GiB of memory; `terms`: what else
    is paid (None: nothing)."""

    @property
    def accelerator_hour(self) -> Fraction: ...
    @property
    def cpu_hour(self) -> Fraction: ...
    @property
    def gib_hour(self) -> Fraction: ...
    @property
    def terms(self) -> Terms | None: ...


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a job has for itself: `nodes` nodes, each with `cpus`, MiB of memory and `accelerators`; of each
    of these `accelerator_share` thousandths. `input_bytes` have to be brought to it."""

    nodes: int
    cpus: int
    memory_mib: int
    accelerators: int = 0
    accelerator_share: int = 1000
    input_bytes: int = 0


def cost_at(prices: Prices, currency: str, footprint: Footprint, seconds: int) -> int:
    """Minor units that so many seconds cost at most at these prices, whenever they begin: each item rounded
    up, energy at the dearest hour of the day."""
    terms = prices.terms
    billed = seconds if terms is None else terms.billed_s(seconds)
    scale = billed * footprint.nodes * 10 ** DECIMALS[currency]
    total = 0
    for price, amount, per in (
        (prices.accelerator_hour, footprint.accelerators * footprint.accelerator_share, HOUR_S * 1000),
        (prices.cpu_hour, footprint.cpus, HOUR_S),
        (prices.gib_hour, footprint.memory_mib, HOUR_S * MIB_PER_GIB),
    ):
        total -= -price.numerator * amount * scale // (price.denominator * per)
    return total if terms is None else total + _besides(terms, currency, footprint, seconds)


def _besides(terms: Terms, currency: str, it: Footprint, seconds: int) -> int:
    """Egress and energy, in minor units."""
    minor: int = 10 ** DECIMALS[currency]
    egress, energy = terms.egress_gib, terms.energy
    total = -(-egress.numerator * it.input_bytes * minor // (egress.denominator * BYTES_PER_GIB))
    used = (
        0 if energy is None else energy.milliwatts(it.nodes, it.cpus, it.accelerators, it.accelerator_share)
    )
    if energy is None or not used:
        return total
    over = energy.dearest.numerator * used * seconds * 1000 * minor
    under = energy.dearest.denominator * KWH
    # Lines that are rounded half up, one for each stretch of hours at one price: half a unit for each.
    stretches = seconds // HOUR_S + 2 if energy.varies else 0
    return total - (-(2 * over + stretches * under) // (2 * under))
