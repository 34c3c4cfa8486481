"""Figures that others published, as they were received: returns of populations that are not the registry's,
and the land."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from baygrid.core.indicators import formulas
from baygrid.core.indicators.figure import RATIO, Figure, trimmed
from baygrid.core.indicators.formulas import ratio
from baygrid.core.indicators.period import Period
from baygrid.observatory.asked import Asked, settled
from baygrid.observatory.frames import Published

LAND: Final = "land.area"
_GROWN: Final = "_growth"
_UNITS: Final = {"land_km2": "km2"}


def published(asked: Asked) -> list[Figure]:
    """The last of each that had ended and was known, its growth, and what it was a year before."""
    rows = [it for it in asked.frames.published(asked.known) if it.period.last <= asked.day]
    figures = []
    for row in _last(it for it in rows if it.zone == asked.zone and it.population != "land"):
        if row.measure.endswith(_GROWN):
            continue
        now = _figure(asked, row)
        figures.append(now)
        same = [it for it in rows if (it.population, it.zone) == (row.population, row.zone)]
        figures += _grown(asked, now, row, same)
    return figures


def land(asked: Asked, zone: str) -> Figure | None:
    """The area of a zone: as published, else as its boundary of that day says."""
    rows = asked.frames.published(asked.known)
    found = _last(it for it in rows if (it.population, it.measure, it.zone) == ("land", "land_km2", zone))
    if found:
        return _figure(asked, found[-1], LAND)
    for its in asked.frames.zones.all:
        if its.id == zone and its.area_km2 is not None:
            population = asked.population(zone, of="land")
            day = Period.day(asked.day)
            return Figure(LAND, its.area_km2, "km2", population, day, asked.known, its.source)
    return None


def on_land(asked: Asked, count: Figure, count_city: Figure) -> list[Figure]:
    """Area, share of the city's, density, and the density on the city's."""
    here, city = land(asked, asked.zone), land(asked, asked.city)
    if here is None or city is None:
        return []
    id = "companies.density"
    figures = [here, settled(id, formulas.density(id, count, here), count, f"{count.unit}/{here.unit}")]
    if asked.zone == asked.city:
        return figures
    share = settled("land.share_of_city", ratio(here, city, "land.share_of_city"), here)
    id = "companies.density_ratio"
    denser = formulas.density_ratio(id, count, count_city, here, city)
    return [*figures, share, settled(id, denser, count)]


def _last(rows: Iterable[Published]) -> list[Published]:
    """Of each population and measure the one whose period ended last; of two the longer."""
    latest: dict[tuple[str, str], Published] = {}
    for row in sorted(rows, key=lambda it: (it.period.last, -it.period.first.toordinal())):
        latest[row.population, row.measure] = row
    return [latest[key] for key in sorted(latest)]


def _grown(asked: Asked, now: Figure, row: Published, rows: list[Published]) -> list[Figure]:
    id = f"{now.id}.growth"
    for it in rows:
        if it.measure == row.measure + _GROWN and it.period == row.period:
            grown = _figure(asked, it, id)
            before = formulas.before_growth(f"{now.id}.before", now, grown)
            return [grown, settled(f"{now.id}.before", before, now, now.unit)]
    for it in rows:
        if it.measure == row.measure and it.period == row.period.before:
            return [settled(id, formulas.growth(id, now, _figure(asked, it)), now)]
    return []


def _figure(asked: Asked, row: Published, id: str | None = None) -> Figure:
    population = asked.population(row.zone, of=row.population)
    unit = RATIO if row.measure.endswith(_GROWN) else row.unit
    return Figure(
        id or f"returns.{row.population}.{row.measure}", trimmed(row.value), unit, population, row.period,
        row.received, row.source,
    )  # fmt: skip
