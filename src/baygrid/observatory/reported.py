"""Figures that are sums of what companies reported: revenue, the part of it that is AI, growth,
concentration.

Of the last whole year, in CNY, of the companies that stood in the zone at its end; what is in another
currency is not among them, which the coverage shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from baygrid.core.indicators import formulas
from baygrid.core.indicators.figure import RATIO, Figure, Period, ratio
from baygrid.core.indicators.suppress import DOMINANT, Cell, Sum, primary, suppress
from baygrid.core.region.bodies import LAYERS, Kind
from baygrid.observatory.asked import Asked
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
    """`here`: what the companies of the zone reported. `standing`: how many there are."""

    period: Period
    here: dict[str, Reported]
    standing: int
    figures: dict[str, Figure]


def reported(asked: Asked) -> list[Figure]:
    """Of the zone; suppressed over all zones at once."""
    now, before = _year(asked, asked.year), _year(asked, asked.year.before)
    total, ai, both = (now.figures[id] for id in (TOTAL, AI, _BOTH))
    shown = [now.figures[id] for id in (TOTAL, *_LAYERS.values(), AI)]
    share = asked.settled("revenue.ai_share", ratio(ai, both, "revenue.ai_share"), ai)
    growth = formulas.growth("growth.all", total, before.figures[TOTAL])
    return [
        *shown,
        share,
        _matched(asked, now, before),
        asked.settled("growth.all", growth, total),
        *_concentration(asked, now),
    ]


def _year(asked: Asked, period: Period) -> _Year:
    frames, tree, day = asked.frames, asked.tree, period.last
    by_zone = frames.reported(period, day, asked.known)
    places: dict[str, Sequence[Reported]] = {**by_zone}
    for zone in tree.split:
        inside = {row.body for part in tree.inside(zone) for row in by_zone[part]}
        places[rest(zone)] = [row for row in by_zone[zone] if row.body not in inside]
    amounts = {
        at(family, place): found for place, rows in places.items() for family, found in _amounts(rows).items()
    }
    cells = {
        name: Cell(
            sum(each, Decimal(0)), len(each), tuple(sorted(each, reverse=True)[:DOMINANT]),
            hidden=name.partition("@")[0] in _HIDDEN or name.endswith(rest("")),
        )
        for name, each in amounts.items()
    }  # fmt: skip
    withheld = suppress(cells, list(tree.sums(_FAMILIES, _IN_A_PLACE)))
    counts = frames.counts(day)
    standing = sum(n for (zone, kind, _), n in counts.items() if (zone, kind) == (asked.zone, Kind.COMPANY))
    figures = {}
    for family in _FAMILIES:
        name = at(family, asked.zone)
        figure = _figure(asked, family, period, cells[name], standing, counts)
        figures[family] = figure.withheld(withheld[name]) if name in withheld else figure
    return _Year(period, {row.body: row for row in by_zone[asked.zone]}, standing, figures)


def _amounts(rows: Sequence[Reported]) -> Mapping[str, list[Decimal]]:
    found: dict[str, list[Decimal]] = {family: [] for family in _FAMILIES}
    for row in rows:
        for family in (TOTAL, _LAYERS.get(row.layer or "", _NO_LAYER), _ONLY if row.ai is None else _BOTH):
            found[family].append(row.revenue)
        if row.ai is not None:
            found[AI].append(row.ai)
    return found


def _figure(
    asked: Asked, family: str, period: Period, cell: Cell, standing: int,
    counts: Mapping[tuple[str, str, str | None], int],
) -> Figure:  # fmt: skip
    layer = next((it for it in LAYERS if _LAYERS[it] == family), None)
    of = standing if layer is None else counts.get((asked.zone, Kind.COMPANY, layer), 0)
    part = f"{layer} layer" if layer else "that report AI revenue" if family in (AI, _BOTH) else ""
    if not of:
        note = "not loaded: no company stood there at the end of the year"
    else:
        note = "" if cell.companies else f"not loaded: no company's return of {period} is in the registry"
    figure = asked.figure(
        family, cell.value, "CNY", asked.population(asked.zone, part), period, (cell.companies, of)
    )
    return figure.withheld(note) if note else figure


def _matched(asked: Asked, now: _Year, before: _Year) -> Figure:
    """Growth of those that stood there and reported in both years."""
    id = "growth.matched"
    panel = sorted(now.here.keys() & before.here.keys())
    population = asked.population(asked.zone, "that reported in both years")
    covered = len(panel), now.standing
    sides = []
    for year in (now, before):
        amounts = [year.here[body].revenue for body in panel]
        cell = Cell(sum(amounts, Decimal(0)), len(panel), tuple(sorted(amounts, reverse=True)[:DOMINANT]))
        figure = asked.figure(f"{id}.revenue", cell.value, "CNY", population, year.period, covered)
        total = year.figures[TOTAL]
        why = total.note if total.value is None else primary(cell)
        sides.append(figure.withheld(why) if why else figure)
    found = formulas.growth(id, *sides)
    if isinstance(found, Figure):  # its two sums are nobody's to know
        found = Figure(
            found.id, found.value, found.unit, found.population, found.period, found.vintage, found.source,
            found.coverage, f"{len(panel)} companies", found.synthetic,
        )  # fmt: skip
    return asked.settled(id, found, sides[0])


def _concentration(asked: Asked, now: _Year) -> list[Figure]:
    total = now.figures[TOTAL]
    amounts = [row.revenue for row in now.here.values()]
    why = total.note
    if not why and (len(amounts) < LEAST_COMPANIES or min(amounts) < 0 or not any(amounts)):
        why = f"suppressed: fewer than {LEAST_COMPANIES} companies, or no revenue to divide"
    covered = len(amounts), now.standing
    figures = []
    for id, made in (("hhi", formulas.hhi), (f"cr{LARGEST}", lambda it: formulas.largest_share(it, LARGEST))):
        value = made(amounts) if not why else Decimal(0)
        figure = asked.figure(f"concentration.{id}", value, RATIO, total.population, now.period, covered)
        figures.append(figure.withheld(why) if why else figure)
    return figures
