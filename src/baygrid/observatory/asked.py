"""What is asked, and what all figures of one answer share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from baygrid.core.indicators.figure import RATIO, Figure, Population, part_of, rounded, trimmed
from baygrid.core.indicators.formulas import Refused
from baygrid.core.indicators.period import Period, year_before
from baygrid.observatory.frames import COMPANIES, Frames
from baygrid.observatory.tree import Tree


class Unanswerable(ValueError):
    """What is asked cannot be answered; the message says the cure."""


@dataclass(frozen=True)
class Asked:
    """Of a registry on a day, as known by a day, about a zone and the outermost that it lies in (`city`)."""

    frames: Frames
    tree: Tree
    zone: str
    city: str
    day: date
    known: date
    synthetic: bool

    @property
    def first(self) -> date:
        """What flows and growth begin after: the same day a year earlier."""
        return year_before(self.day)

    @property
    def flowing(self) -> Period:
        return Period(self.first + timedelta(days=1), self.day)

    @property
    def year(self) -> Period:
        """The last whole year: what yearly returns are of."""
        year = Period.year(self.day.year)
        return year if self.day == year.last else year.before

    def population(self, zone: str, part: str = "", of: str = COMPANIES) -> Population:
        return Population(of, zone, part, self.tree.ways(zone))

    def figure(
        self, id: str, value: Decimal | int | Fraction, unit: str, population: Population, period: Period,
        covered: tuple[int, int] | None = None,
    ) -> Figure:  # fmt: skip
        """Counted in the registry."""
        exact = rounded(value, unit) if isinstance(value, Fraction) else trimmed(Decimal(value))
        coverage = part_of(*covered) if covered else None
        source = "synthetic registry" if self.synthetic else "registry"
        return Figure(
            id, exact, unit, population, period, self.known, source, coverage, synthetic=self.synthetic
        )


def settled(id: str, found: Figure | Refused, like: Figure, unit: str = RATIO) -> Figure:
    """A refusal as a figure without a value, beside the one that it was to be of."""
    if isinstance(found, Figure):
        return found
    return Figure(
        id, None, unit, like.population, like.period, like.vintage, like.source, note=found.reason,
        synthetic=like.synthetic,
    )  # fmt: skip
