"""Figures that are counts of bodies: how many there are and of which layer and field, who came and went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.indicators import formulas
from baygrid.core.indicators.figure import Figure
from baygrid.core.indicators.formulas import ratio
from baygrid.core.indicators.period import Period
from baygrid.core.indicators.suppress import Cell, Sum, suppress
from baygrid.core.region.bodies import LAYERS, Kind
from baygrid.observatory.asked import Asked, settled
from baygrid.observatory.tree import at, rest

COUNT: Final = "companies.count"
UNIT: Final = "companies"
_UNLABELLED: Final = "companies.unlabelled.count"
_MADE: Final = "companies.base_technology.count"
_BEFORE: Final = "before"
_PARTS: Final = {
    COUNT: "",
    **{f"companies.{layer}.count": f"{layer} layer" for layer in LAYERS},
    _UNLABELLED: "no layer",
    _MADE: "base and technology layers",
}
_LAYERS: Final = {layer: f"companies.{layer}.count" for layer in LAYERS}
_OTHER: Final = {
    Kind.UNIVERSITY: ("universities.count", "universities"),
    Kind.INSTITUTE: ("institutes.count", "institutes"),
}
_FLOWS: Final = {
    "entries.founded": ("founded",),
    "entries.moved_in": ("moved_in",),
    "entries.otherwise": ("otherwise_in",),
    "entries": ("founded", "moved_in", "otherwise_in"),
    "exits.dissolved": ("dissolved",),
    "exits.moved_out": ("moved_out",),
    "exits.otherwise": ("otherwise_out",),
    "exits": ("dissolved", "moved_out", "otherwise_out"),
    "moves.within": ("within",),
}
_IN_A_PLACE: Final[tuple[Sum, ...]] = (
    {COUNT: -1, **dict.fromkeys(_LAYERS.values(), 1), _UNLABELLED: 1},
    {_MADE: -1, _LAYERS["base"]: 1, _LAYERS["technology"]: 1},
)
_OVER_A_YEAR: Final[tuple[Sum, ...]] = (
    {COUNT: -1, _BEFORE: 1, "entries": 1, "exits": -1},
    {"entries": -1, "entries.founded": 1, "entries.moved_in": 1, "entries.otherwise": 1},
    {"exits": -1, "exits.dissolved": 1, "exits.moved_out": 1, "exits.otherwise": 1},
)
# A zone's entries are not the sum of its parts' entries: who moves between two parts enters only one.


def counted(asked: Asked) -> dict[str, Figure]:
    """Of the zone and its city, by cell; suppressed over all zones at once."""
    numbers, families = _numbers(asked)
    flows = _flows(asked)
    cells = {
        at(family, place): Cell(
            Decimal(number), number, hidden=place not in asked.tree.zones, harmless=family == _UNLABELLED,
            elsewhere=family == _BEFORE,
        )
        for (family, place), number in (numbers | flows).items()
    }  # fmt: skip
    sums = [
        *asked.tree.sums(families, _IN_A_PLACE),
        *(
            {at(family, zone): it for family, it in row.items()}
            for zone in asked.tree.zones
            for row in _OVER_A_YEAR
        ),
    ]
    withheld = suppress(cells, sums)
    found = {}
    for (family, place), number in (numbers | flows).items():
        if place in (asked.zone, asked.city):
            figure = _figure(asked, family, place, number, numbers)
            name = at(family, place)
            found[name] = figure.withheld(withheld[name]) if name in withheld else figure
    return found


def derived(asked: Asked, found: Mapping[str, Figure]) -> list[Figure]:
    """All of the zone in their order: what was counted, then shares, quotients and growth."""
    here = {name.partition("@")[0]: it for name, it in found.items() if it.population.zone == asked.zone}
    city = {name.partition("@")[0]: it for name, it in found.items() if it.population.zone == asked.city}
    before = here.pop(_BEFORE)
    whole = here[COUNT]
    figures = [*here.values()]
    for name, id in (*_LAYERS.items(), ("base_technology", _MADE)):
        figures.append(settled(f"mix.{name}.share", ratio(here[id], whole, f"mix.{name}.share"), here[id]))
    figures.append(settled("companies.growth", formulas.growth("companies.growth", whole, before), whole))
    if asked.zone == asked.city:
        return figures
    for id in (COUNT, *_LAYERS.values()):
        share = f"{id.removesuffix('.count')}.share_of_city"
        figures.append(settled(share, ratio(here[id], city[id], share), here[id]))
    for id in here:
        if id.startswith("companies.field.") or id in _LAYERS.values():
            lq = f"lq.{id.removeprefix('companies.').removesuffix('.count')}"
            quotient = formulas.location_quotient(lq, here[id], whole, city[id], city[COUNT])
            figures.append(settled(lq, quotient, here[id]))
    return figures


def _numbers(asked: Asked) -> tuple[dict[tuple[str, str], int], list[str]]:
    """All counts of the day by family and place, and the families."""
    numbers: Counter[tuple[str, str]] = Counter()
    for (zone, kind, layer), count in asked.frames.counts(asked.day).items():
        if kind != Kind.COMPANY:
            numbers[_OTHER[Kind(kind)][0], zone] += count
            continue
        for family in (COUNT, _LAYERS.get(layer or "", _UNLABELLED)):
            numbers[family, zone] += count
        if layer in ("base", "technology"):
            numbers[_MADE, zone] += count
    for (zone, field), count in asked.frames.fields(asked.day).items():
        numbers[f"companies.field.{field}.count", zone] += count
    fields = sorted({family for family, _ in numbers if family.startswith("companies.field.")})
    families = [*_PARTS, *fields, *(id for id, _ in _OTHER.values())]
    places = (*asked.tree.zones, *map(rest, asked.tree.split))
    return {(family, place): numbers[family, place] for family in families for place in places}, families


def _flows(asked: Asked) -> dict[tuple[str, str], int]:
    flows = asked.frames.flows(asked.first, asked.day)
    found = {
        (family, zone): sum(flows.get((zone, what), 0) for what in whats)
        for family, whats in _FLOWS.items()
        for zone in asked.tree.zones
    }
    was = Counter[str]()
    for (zone, kind, _), count in asked.frames.counts(asked.first).items():
        was[zone] += count if kind == Kind.COMPANY else 0
    return found | {(_BEFORE, zone): was[zone] for zone in asked.tree.zones}


def _figure(
    asked: Asked, family: str, zone: str, number: int, numbers: Mapping[tuple[str, str], int]
) -> Figure:
    whole = numbers[COUNT, zone]
    for id, of in _OTHER.values():
        if family == id:
            population = asked.population(zone, of=of)
            return asked.figure(id, number, of, population, Period.day(asked.day))
    if family in _FLOWS:
        return asked.figure(family, number, UNIT, asked.population(zone), asked.flowing)
    if family == _BEFORE:
        return asked.figure(COUNT, number, UNIT, asked.population(zone), Period.day(asked.first))
    covered = None
    if family == COUNT:
        placed = sum(numbers[COUNT, city] for city in asked.tree.outermost)
        covered = placed, asked.frames.registered(asked.day)
    elif family in (*_LAYERS.values(), _MADE):
        covered = whole - numbers[_UNLABELLED, zone], whole
    part = _PARTS[family] if family in _PARTS else f"field {family.split('.')[2]}"
    return asked.figure(family, number, UNIT, asked.population(zone, part), Period.day(asked.day), covered)
