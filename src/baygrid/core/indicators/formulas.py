"""The indicators that are reckoned from figures, each of them a figure or `Refused`.

Two figures make a ratio only if they are of the same population, period and vintage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import lcm

from baygrid.core.indicators.figure import RATIO, Figure, rounded, shown


@dataclass(frozen=True, slots=True)
class Refused:
    """No figure, and the sentence that says why to who asked."""

    reason: str


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


def exact_ratio(top: Figure, bottom: Figure) -> Fraction | Refused:
    """What `ratio` tells, not rounded."""
    if lacking := _without_value(top, bottom):
        return lacking
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


def location_quotient(
    id: str, part_here: Figure, all_here: Figure, part_there: Figure, all_there: Figure
) -> Figure | Refused:
    """The part's share here on its share in the whole; 1: as everywhere. Of four counts, of which each is
    part of the next where it must be. P. Sargant Florence, Report on the Location of Industry, 1939."""
    here, there = exact_ratio(part_here, all_here), exact_ratio(part_there, all_there)
    inside = exact_ratio(part_here, part_there), exact_ratio(all_here, all_there)
    for each in (here, there, *inside):
        if isinstance(each, Refused):
            return each
    assert isinstance(here, Fraction)
    assert isinstance(there, Fraction)
    numbers = [shown(it) for it in (part_here, all_here, part_there, all_there)]
    note = f"({numbers[0]} of {numbers[1]}) on ({numbers[2]} of {numbers[3]})"
    return made(
        id, rounded(here / there, RATIO), RATIO, part_here, all_here, part_there, all_there, note=note
    )


def density(id: str, counted: Figure, land: Figure) -> Figure | Refused:
    """How many on a unit of land; land is of no population, but of the zone."""
    if lacking := _without_value(counted, land):
        return lacking
    if counted.population.zone != land.population.zone:
        return Refused(f"{counted.id} is of {counted.population.zone}, the land of {land.population.zone}")
    if not land.exact:
        return Refused(f"{land.id} is 0")
    note = f"{shown(counted)} {counted.unit} on {shown(land)} {land.unit}"
    unit = f"{counted.unit}/{land.unit}"
    return made(id, rounded(counted.exact / land.exact, unit), unit, counted, land, note=note)


def density_ratio(
    id: str, here: Figure, there: Figure, land_here: Figure, land_there: Figure
) -> Figure | Refused:
    """How much denser a zone is than the whole it lies in: its share of the counted on its share of the
    land. Two ratios of the same two zones, each of one population."""
    counted, land = exact_ratio(here, there), exact_ratio(land_here, land_there)
    for each in (counted, land):
        if isinstance(each, Refused):
            return each
    assert isinstance(counted, Fraction)
    assert isinstance(land, Fraction)
    zones = [(it.population.zone, jt.population.zone) for it, jt in ((here, there), (land_here, land_there))]
    if zones[0] != zones[1]:
        return Refused(f"the counts are of {' in '.join(zones[0])}, the land of {' in '.join(zones[1])}")
    note = f"{rounded(counted, RATIO)} of the {here.unit} on {rounded(land, RATIO)} of the land"
    return made(id, rounded(counted / land, RATIO), RATIO, here, there, land_here, land_there, note=note)


def growth(id: str, now: Figure, before: Figure) -> Figure | Refused:
    """By which part more than the same period a year earlier."""
    for it in (now, before):
        if it.value is None:
            return Refused(f"{it.id} of {it.period} has no value: {it.note}")
    if (now.population, now.unit) != (before.population, before.unit):
        return Refused(
            f"{now.id} is {now.unit} of {now.population}, what was before is {before.unit} of"
            f" {before.population}: growth is of one population"
        )
    if before.period != now.period.before:
        return Refused(f"{before.period} is not the year before {now.period}")
    if now.vintage != before.vintage:
        return Refused(
            f"{now.period} was known on {now.vintage} and {before.period} on {before.vintage}: what was"
            " revised between would look like growth; take both of one vintage"
        )
    if before.exact <= 0:
        return Refused(f"{before.id} of {before.period} is {shown(before)}: nothing grows by a part of it")
    note = f"{shown(before)} to {shown(now)} {now.unit}"
    exact = now.exact / before.exact - 1
    return made(id, rounded(exact, RATIO), RATIO, now, before, note=note)


def before_growth(id: str, now: Figure, grown: Figure) -> Figure | Refused:
    """What was there a year earlier, of a value and the growth that was published with it."""
    if lacking := _without_value(now, grown):
        return lacking
    same = (now.population, now.period, now.vintage) == (grown.population, grown.period, grown.vintage)
    if not same or grown.unit != RATIO:
        return Refused(f"{grown.id} is not the growth of {now.id}: population, period or vintage differ")
    if grown.exact <= -1:
        return Refused(f"{grown.id} is {shown(grown)}: nothing can fall by more than all of it")
    exact = now.exact / (1 + grown.exact)
    note = f"{shown(now)} {now.unit} after growth of {shown(grown)}"
    found = made(id, rounded(exact, now.unit), now.unit, now, grown, note=note)
    return replace(found, period=now.period.before)


def hhi(amounts: Sequence[Decimal]) -> Fraction:
    """The Herfindahl-Hirschman index, 0 to 1: the sum of the squares of the shares. Raises
    ZeroDivisionError."""
    whole = _whole(amounts)
    return Fraction(sum(it * it for it in whole), sum(whole) ** 2)


def largest_share(amounts: Sequence[Decimal], count: int) -> Fraction:
    """What the largest `count` have of all. Raises ZeroDivisionError."""
    whole = sorted(_whole(amounts), reverse=True)
    return Fraction(sum(whole[:count]), sum(whole))


def _whole(amounts: Sequence[Decimal]) -> list[int]:
    """The amounts in the smallest unit that all have: exact, and faster than fractions."""
    parts = [it.as_integer_ratio() for it in amounts]
    unit = lcm(*(bottom for _, bottom in parts))
    return [top * (unit // bottom) for top, bottom in parts]


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


def _without_value(*figures: Figure) -> Refused | None:
    """The first that is not told."""
    found = next((it for it in figures if it.value is None), None)
    return None if found is None else Refused(f"{found.id} has no value: {found.note}")


def _what(it: Figure) -> str:
    """ "companies.count (289 companies of ai_companies in qianhai)" """
    measured = f"{shown(it)} {it.unit}" if it.unit != RATIO else it.note or "a ratio"
    return f"{it.id} ({measured}, of {it.population})"
