"""What a time costs at most: the figure that placement compares, and the one that pricing holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Final, Protocol

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


WHOLE: Final = 1000
"""Thousandths of a unit."""


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


@dataclass(frozen=True, slots=True)
class Bought:
    """Of what a job has, `units` thousandths of a unit are paid at `rate` (major units for a unit for an
    hour), for the first `lasts` of its time. A unit is one accelerator with so many `cpus` and MiB; of a job
    without accelerators it is one cpu with MiB."""

    units: int
    lasts: int
    rate: Fraction
    cpus: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a time, from `start` to before `end` since its beginning. `units`: thousandths of each that
    was bought; `rest`: what is left at the tariff, of all nodes together."""

    start: int
    end: int
    units: tuple[int, ...]
    rest: Footprint


def stretches(it: Footprint, lasts: int, bought: Sequence[Bought]) -> list[Stretch]:
    """Who pays for what in a time of `lasts`, in the unit of time of `bought`: the earlier bought first. Of a
    part of a unit, cpus and memory count in whole ones. At least one, of no length where there is no time."""
    edges = sorted({0, lasts, *(min(one.lasts, lasts) for one in bought)})
    return [
        _stretch(it, start, end, [one if one.lasts >= end else None for one in bought])
        for start, end in (pairwise(edges) if lasts else [(0, 0)])
    ]


def _stretch(it: Footprint, start: int, end: int, bought: Sequence[Bought | None]) -> Stretch:
    plain = not it.accelerators
    cpus, memory = it.nodes * it.cpus, it.nodes * it.memory_mib
    left = cpus * WHOLE if plain else it.nodes * it.accelerators * it.accelerator_share
    units = []
    for one in bought:
        taken = 0 if one is None else min(left, one.units)
        taken -= taken % WHOLE if plain else 0  # a cpu is not shared
        units.append(taken)
        left -= taken
        if one is not None:
            cpus -= 0 if plain else min(cpus, taken * one.cpus // WHOLE)
            memory -= min(memory, taken * one.memory_mib // WHOLE)
    if plain:
        rest = Footprint(1, left // WHOLE, memory)
    else:
        rest = Footprint(1, cpus, memory, 1 if left else 0, left or WHOLE)
    return Stretch(start, end, tuple(units), rest)


def cost_at(
    prices: Prices, currency: str, footprint: Footprint, seconds: int, bought: Sequence[Bought] = ()
) -> int:
    """Minor units that so many seconds cost at most at these prices, whenever they begin: each item rounded
    up, energy at the dearest hour of the day. What is `bought` (its time in seconds) costs its own rate, and
    a minimum or rounding up lengthens only what is left."""
    terms = prices.terms
    billed = seconds if terms is None else terms.billed_s(seconds)
    besides = 0 if terms is None else _besides(terms, currency, footprint, seconds)
    if not bought:
        return _time(prices, currency, footprint, billed) + besides
    minor: int = 10 ** DECIMALS[currency]
    total, parts = besides, stretches(footprint, seconds, bought)
    for part in parts:
        more = billed - seconds if part is parts[-1] else 0
        total += _time(prices, currency, part.rest, part.end - part.start + more)
        for one, units in zip(bought, part.units, strict=True):
            total += ceil(one.rate * units * (part.end - part.start) * minor / (WHOLE * HOUR_S))
    return total


def _time(prices: Prices, currency: str, footprint: Footprint, seconds: int) -> int:
    scale = seconds * footprint.nodes * 10 ** DECIMALS[currency]
    total = 0
    for price, amount, per in (
        (prices.accelerator_hour, footprint.accelerators * footprint.accelerator_share, HOUR_S * 1000),
        (prices.cpu_hour, footprint.cpus, HOUR_S),
        (prices.gib_hour, footprint.memory_mib, HOUR_S * MIB_PER_GIB),
    ):
        total -= -price.numerator * amount * scale // (price.denominator * per)
    return total


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
    lines = seconds // HOUR_S + 2 if energy.varies else 0
    return total - (-(2 * over + lines * under) // (2 * under))
