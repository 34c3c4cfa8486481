"""What an hour costs, from when on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from baygrid.core.terms import Terms


@dataclass(frozen=True, slots=True)
class Tariff:
    """Rates in major units of `currency` (0.25 = 25 fen) per hour of one accelerator, cpu and GiB of memory
    that an attempt has for itself. In force from `valid_from` (milliseconds since 1970, UTC) until the next
    one begins. `terms`: what else is paid (None: nothing)."""

    valid_from: int
    currency: str
    accelerator_hour: Fraction
    cpu_hour: Fraction
    gib_hour: Fraction
    terms: Terms | None = None


def within(tariffs: Sequence[Tariff], start: int, end: int) -> list[Tariff]:
    """Those in force in any part of [start, end) (milliseconds); `tariffs` oldest first."""
    first = in_force(tariffs, start)
    later = [tariff for tariff in tariffs if start < tariff.valid_from < end]
    return ([first] if first is not None else []) + later


def in_force(tariffs: Sequence[Tariff], at: int) -> Tariff | None:
    """The tariff of the moment `at` (milliseconds); `tariffs` oldest first. None before the first."""
    for tariff in reversed(tariffs):
        if tariff.valid_from <= at:
            return tariff
    return None
