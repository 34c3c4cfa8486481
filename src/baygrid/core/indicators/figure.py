"""A figure with all that makes it one: what it counts, where and when, since when that is known, from where.

What is computed is exact until `rounded`, which alone rounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from baygrid.core.indicators.period import Period
from baygrid.core.units import DECIMALS

RATIO: Final = "1"
"""The unit of a figure without one."""
PLACES: Final = 7
"""Decimals of a ratio; money has those of its currency."""


@dataclass(frozen=True, slots=True)
class Population:
    """Who was counted (`of`), in which zone, and which part of them ("base layer"). `within`: the zones that
    this one lies in, the nearest first."""

    of: str
    zone: str
    part: str = ""
    within: tuple[str, ...] = ()

    def lies_in(self, whole: Population) -> bool:
        """Whether all of it is counted in that one too."""
        zones = (self.zone, *self.within)
        return self.of == whole.of and whole.zone in zones and whole.part in ("", self.part)

    def __str__(self) -> str:
        return f"{self.of} in {self.zone}{', ' + self.part if self.part else ''}"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` None: not told; then `note` says why. `vintage`: the day by which all of it was known.
    `coverage`: the part of the population that it rests on, 0 to 1; None where that means nothing.
    `synthetic`: made of invented rows."""

    id: str
    value: Decimal | None
    unit: str
    population: Population
    period: Period
    vintage: date
    source: str
    coverage: Decimal | None = None
    note: str = ""
    synthetic: bool = False

    @property
    def exact(self) -> Fraction:
        """Of a figure that has a value."""
        assert self.value is not None, self.id
        return Fraction(self.value)

    def withheld(self, reason: str) -> Figure:
        """The same without its value, and without the coverage, from which it might be reckoned."""
        return replace(self, value=None, coverage=None, note=reason)

    def to_json(self) -> dict[str, Any]:
        """Numbers are decimal strings."""
        return {
            "id": self.id,
            "value": None if self.value is None else f"{self.value:f}",
            "unit": self.unit,
            "population": str(self.population),
            "period": str(self.period),
            "vintage": str(self.vintage),
            "source": self.source,
            "coverage": None if self.coverage is None else f"{self.coverage:f}",
            "note": self.note,
            "synthetic": self.synthetic,
        }


def rounded(exact: Fraction, unit: str) -> Decimal:
    """The one rounding of all figures, half away from zero: counts to 0 decimals, money to those of its
    currency, whatever else to `PLACES`."""
    places = DECIMALS.get(unit, 0 if unit == "companies" else PLACES)
    scaled = abs(exact) * 10**places
    nearest = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return trimmed(Decimal(f"{'-' if exact < 0 else ''}{nearest}e-{places}"))


def trimmed(value: Decimal) -> Decimal:
    """The same without zeros at the end of its decimals, whatever its length."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else value


def part_of(count: int, whole: int) -> Decimal | None:
    """A coverage, four decimals of it: it is 1 only if nobody is lacking. None of nothing."""
    return trimmed(Decimal(count * 10_000 // whole).scaleb(-4)) if whole else None


def shown(figure: Figure) -> str:
    """Its value as a sentence has it: 2,267; 221,300,000,000; 0.515."""
    return f"{figure.value:,f}"
