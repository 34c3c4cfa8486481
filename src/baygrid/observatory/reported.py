"""Figures that are sums of what companies reported: revenue, the part of it that is AI, growth,
concentration.

Of the last whole year, in CNY, of the companies that stood in the zone at its end; what is in another
currency is not among them, which the coverage shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from baygrid.core.indicators import formulas
from baygrid.core.indicators.figure import RATIO, Figure
from baygrid.core.indicators.formulas import ratio
from baygrid.core.indicators.period import Period
from baygrid.core.indicators.suppress import DOMINANT, Cell, Sum, primary, suppress
from baygrid.core.region.bodies import LAYERS, Kind
from baygrid.observatory.asked import Asked, settled
from baygrid.observatory.frames import Reported
from baygrid.observatory.tree import at, rest

TOTAL: Final = "revenue.total"
AI: Final = "revenue.ai.total"
LARGEST: Final = 4
LEAST_COMPANIES: Final = 5
"""Of a concentration: from the total, the index and the largest share three companies could be solved for."""

_BOTH: Final = "revenue.of_both"
_ONLY: Final = "revenue.without_ai"
_LAYERS: Final = {layer: f"revenue.{layer}.total" for layer in LAYERS}
_NO_LAYER: Final = "revenue.no_layer"
_HIDDEN: Final = frozenset({_ONLY, _NO_LAYER})
_FAMILIES: Final = (TOTAL, *_LAYERS.values(), _NO_LAYER, _BOTH, _ONLY, AI)
_IN_A_PLACE: Final[tuple[Sum, ...]] = (
    {TOTAL: -1, **dict.fromkeys(_LAYERS.values(), 1), _NO_LAYER: 1},
    {TOTAL: -1, _BOTH: 1, _ONLY: 1},
)


class _Year(NamedTuple):
    """`standing`: how many companies there are in the zone."""

    period: Period
    standing: int
    figures: dict[str, Figure]


def reported(asked: Asked) -> list[Figure]:
    """Of the zone; suppressed over all zones at once."""
    now, before = _year(asked, asked.year), _year(asked, asked.year.before)
    total, ai, both = (now.figures[id] for id in (TOTAL, AI, _BOTH))
    shown = [now.figures[id] for id in (TOTAL, *_LAYERS.values(), AI)]
    share = settled("revenue.ai_share", ratio(ai, both, "revenue.ai_share"), ai)
    growth = formulas.growth("growth.all", total, before.figures[TOTAL])
    return [
        *shown,
        share,
        _matched(asked, now, before),
        settled("growth.all", growth, total),
        *_concentration(asked, now),
    ]


def _year(asked: Asked, period: Period) -> _Year:
    frames, tree, day = asked.frames, asked.tree, period.last
    by_place = frames.reported(period, day, asked.known)
    cells = {
        at(family, place): _cell(family, by_place.get(place, ()), hidden=place not in tree.zones)
        for place in (*tree.zones, *map(rest, tree.split))
        for family in _FAMILIES
    }
    withheld = suppress(cells, list(tree.sums(_FAMILIES, _IN_A_PLACE)))
    standing: Counter[str | None] = Counter()
    for (zone, kind, layer), count in frames.counts(day).items():
        if (zone, kind) == (asked.zone, Kind.COMPANY):
            standing[layer] += count
    figures = {}
    for family in _FAMILIES:
        name = at(family, asked.zone)
        figure = _figure(asked, family, period, cells[name], standing)
        figures[family] = figure.withheld(withheld[name]) if name in withheld else figure
    return _Year(period, standing.total(), figures)


def _cell(family: str, rows: Sequence[Reported], hidden: bool) -> Cell:
    """What rows come to that are of the family."""
    of = [row for row in rows if family in _families(row)]
    ai = family == AI
    amounts = [amount for row in of for amount in (row.largest_ai if ai else row.largest)]
    value = sum((row.ai or Decimal(0) if ai else row.revenue for row in of), Decimal(0))
    largest = tuple(sorted(amounts, reverse=True)[:DOMINANT])
    return Cell(value, sum(row.companies for row in of), largest, hidden or family in _HIDDEN)


def _families(row: Reported) -> tuple[str, ...]:
    return (TOTAL, _LAYERS.get(row.layer or "", _NO_LAYER), *((_BOTH, AI) if row.both else (_ONLY,)))


def _figure(
    asked: Asked, family: str, period: Period, cell: Cell, standing: Mapping[str | None, int]
) -> Figure:
    layer = next((it for it in LAYERS if _LAYERS[it] == family), None)
    of = sum(standing.values()) if layer is None else standing.get(layer, 0)
    part = f"{layer} layer" if layer else "that report AI revenue" if family in (AI, _BOTH) else ""
    population = asked.population(asked.zone, part)
    figure = asked.figure(family, cell.value, "CNY", population, period, (cell.companies, of))
    if not of:
        return figure.withheld(f"not loaded: no company stood there at the end of {period}")
    if not cell.companies:
        return figure.withheld(f"not loaded: no company's return of {period} is in the registry")
    return figure


def _matched(asked: Asked, now: _Year, before: _Year) -> Figure:
    """Growth of those that stood there and reported in both years. The two sums are nobody's to know: with
    the totals they would tell of those that are in one only."""
    id = "growth.matched"
    population = asked.population(asked.zone, "that reported in both years")
    sides = []
    panel = asked.frames.panel(asked.zone, now.period, asked.known)
    for side, year in zip(panel, (now, before), strict=True):
        covered = side.companies, now.standing
        figure = asked.figure(f"{id}.revenue", side.revenue, "CNY", population, year.period, covered)
        total = year.figures[TOTAL]
        why = total.note if total.value is None else primary(Cell(side.revenue, side.companies, side.largest))
        if not (why or side.companies):
            why = "not loaded: no company reported in both years"
        sides.append(figure.withheld(why) if why else figure)
    found = formulas.growth(id, *sides)
    if isinstance(found, Figure):
        found = replace(found, note=f"{panel[0].companies} companies")
    return settled(id, found, sides[0])


def _concentration(asked: Asked, now: _Year) -> list[Figure]:
    total = now.figures[TOTAL]
    amounts = asked.frames.amounts(asked.zone, now.period, now.period.last, asked.known)
    why = total.note
    if not why and len(amounts) < LEAST_COMPANIES:
        why = f"suppressed: fewer than {LEAST_COMPANIES} companies"
    elif not why and (min(amounts) < 0 or not any(amounts)):
        why = "there is no revenue to divide"
    covered = len(amounts), now.standing
    figures = []
    for id, made in (("hhi", formulas.hhi), (f"cr{LARGEST}", partial(formulas.largest_share, count=LARGEST))):
        value = made(amounts) if not why else Decimal(0)
        figure = asked.figure(f"concentration.{id}", value, RATIO, total.population, now.period, covered)
        figures.append(figure.withheld(why) if why else figure)
    return figures
