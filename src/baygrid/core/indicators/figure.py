"""A figure with all that makes it one: what it counts, where and when, since when that is known, from where.

Two figures make a ratio only if they are of the same population, period and vintage; else the answer is
`Refused`, with the sentence for who asked. What is computed is exact until `rounded`, which alone rounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from baygrid.core.units import DECIMALS

RATIO: Final = "1"
"""The unit of a figure without one."""
PLACES: Final = 7
"""Decimals of a ratio; money has those of its currency."""

_PERIOD: Final = re.compile(r"([0-9]{4})(?:Q([1-4])|-([0-9]{2})(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """From its first to its last day, both of it. A stock is of one day."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Period:
        """Of "2023", "2023Q1", "2023-01" or "2023-12-31". Raises ValueError with the cure."""
        match = _PERIOD.fullmatch(text)
        try:
            if match is None:
                raise ValueError(text)
            year, quarter, month, day = match.groups()
            if day:
                return cls.day(date.fromisoformat(text))
            if quarter:
                return cls.months(int(year), 3 * int(quarter) - 2, 3)
            return cls.months(int(year), int(month), 1) if month else cls.year(int(year))
        except ValueError:
            raise ValueError(
                f"{text[:40]!r} is no period: write 2023, 2023Q1, 2023-01 or 2023-12-31"
            ) from None

    @classmethod
    def months(cls, year: int, first: int, count: int) -> Period:
        """So many months of one year, from the month `first`."""
        end = first + count
        after = date(year + 1, 1, 1) if end == 13 else date(year, end, 1)
        return cls(date(year, first, 1), after - timedelta(days=1))

    @classmethod
    def year(cls, year: int) -> Period:
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def day(cls, day: date) -> Period:
        return cls(day, day)

    @property
    def before(self) -> Period:
        """The same days a year earlier."""
        return Period(year_before(self.first), year_before(self.last))

    def __str__(self) -> str:
        """Text that `parse` reads back, or first and last day."""
        first, last = self.first, self.last
        if first == last:
            return str(first)
        names = (f"{first.year}", f"{first.year}Q{(first.month + 2) // 3}", f"{first:%Y-%m}")
        return next((it for it in names if Period.parse(it) == self), f"{first}/{last}")


def year_before(day: date) -> date:
    """The same day of the year before; of 29 February the 28th. There is none before the year 1."""
    return day.replace(year=max(1, day.year - 1), day=28 if (day.month, day.day) == (2, 29) else day.day)


def same_days(last: date, years: int) -> tuple[date, ...]:
    """The same day of so many years, the earliest first."""
    days = [last]
    for _ in range(years - 1):
        days.append(year_before(days[-1]))
    return tuple(reversed(days))


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


@dataclass(frozen=True, slots=True)
class Refused:
    """No figure, and the sentence that says why."""

    reason: str


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


def exact_ratio(top: Figure, bottom: Figure) -> Fraction | Refused:
    """What `ratio` tells, not rounded."""
    for it in (top, bottom):
        if it.value is None:
            return Refused(f"{it.id} has no value: {it.note}")
    if top.population.of != bottom.population.of:
        return Refused(
            f"{_what(top)} and {_what(bottom)} are of different populations: a share of the one in the other"
            " is a share of nothing"
        )
    if RATIO in (top.unit, bottom.unit):
        return Refused(
            f"{top.id} on {bottom.id}: one is a ratio already; take the figures that it is made of"
        )
    if not top.population.lies_in(bottom.population):
        return Refused(f"{_what(top)} is no part of {_what(bottom)}")
    if top.period != bottom.period:
        return Refused(
            f"{top.id} is of {top.period} and {bottom.id} of {bottom.period}: take both of one period"
        )
    if top.vintage != bottom.vintage:
        return Refused(
            f"{top.id} was known on {top.vintage} and {bottom.id} on {bottom.vintage}: what was revised"
            " between would look like a difference; take both of one vintage"
        )
    if not bottom.exact:
        return Refused(f"{bottom.id} is 0: nothing is a part of it")
    return top.exact / bottom.exact


def ratio(top: Figure, bottom: Figure, id: str) -> Figure | Refused:
    """A figure on another that it is part of, or of the same population. Of two units it has both:
    CNY/companies."""
    found = exact_ratio(top, bottom)
    if isinstance(found, Refused):
        return found
    unit = RATIO if top.unit == bottom.unit else f"{top.unit}/{bottom.unit}"
    note = f"{shown(top)} {top.unit} on {shown(bottom)} {bottom.unit}"
    if unit == RATIO:
        note = f"{shown(top)} of {shown(bottom)} {bottom.unit}"
    return made(id, rounded(found, unit), unit, top, bottom, note=note)


def made(id: str, value: Decimal, unit: str, first: Figure, *others: Figure, note: str = "") -> Figure:
    """Of figures: population, period and vintage are the first's, the coverage is the least, and it is
    synthetic if one is."""
    of = (first, *others)
    known = [it.coverage for it in of if it.coverage is not None]
    return Figure(
        id, value, unit, first.population, first.period, first.vintage,
        source="; ".join(dict.fromkeys(it.source for it in of)),
        coverage=min(known, default=None), note=note, synthetic=any(it.synthetic for it in of),
    )  # fmt: skip


def _what(it: Figure) -> str:
    """ "companies.count (289 companies of ai_companies in qianhai)" """
    measured = f"{shown(it)} {it.unit}" if it.unit != RATIO else it.note or "a ratio"
    return f"{it.id} ({measured}, of {it.population})"
