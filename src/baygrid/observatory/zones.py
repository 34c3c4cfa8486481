"""Zones: polygons with the days on which they hold, and in which of them an address lies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from baygrid.core.reading import DocumentError, Problem, Wrong, name, shown
from baygrid.core.region.bodies import LANGUAGES, Spell, Zone, holds
from baygrid.core.region.rows import day

MOST_ZONES: Final = 1_000
_PROPERTIES: Final = ("id", "names", "since", "until", "parent", "area_km2", "source", "synthetic")


class How(StrEnum):
    """How a zone was found."""

    POLYGON = "polygon"
    DISTRICT = "district"
    OUTSIDE = "outside"
    """It has a point, and no polygon has that."""
    BORDER = "border"
    """Its point is on the border of a zone, and its district does not say on which side."""
    UNPLACED = "unplaced"
    """It has no point, and its district is no zone's name."""


@dataclass(frozen=True, slots=True)
class Place:
    """`zone`: the innermost; None unless one was found. `border`: the zones on whose border it lies."""

    zone: str | None
    how: How
    border: tuple[str, ...] = ()


def schematic() -> list[Zone]:
    """Rectangles for samples and tests, marked as such. They are not the boundaries of anything."""
    return read_zones(files("baygrid.observatory").joinpath("schematic_zones.json").read_bytes())


def read_zones(document: bytes) -> list[Zone]:
    """A GeoJSON FeatureCollection. Raises DocumentError with all that is wrong with it."""
    try:
        tree = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise DocumentError((Problem("", f"zones.json is not JSON: {error}"),)) from None
    features = tree.get("features") if isinstance(tree, dict) else None
    if not isinstance(features, list) or tree.get("type") != "FeatureCollection":
        raise DocumentError((Problem("", "zones.json must be a GeoJSON FeatureCollection with `features`"),))
    if len(features) > MOST_ZONES:
        raise DocumentError((Problem("features", f"has {len(features)} zones: at most {MOST_ZONES} fit"),))
    zones, problems = list[Zone](), list[Problem]()
    for index, feature in enumerate(features):
        try:
            zones.append(_zone(feature))
        except Wrong as wrong:
            problems.append(Problem(f"features[{index}]", str(wrong)))
    problems += _together(zones)
    if problems:
        raise DocumentError(tuple(problems))
    return zones


def to_geojson(zones: Iterable[Zone]) -> dict[str, Any]:
    """What `read_zones` reads back."""
    return {"type": "FeatureCollection", "features": [_feature(it) for it in zones]}


class Zones:
    """The zones of a registry, ready to be asked."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.all = tuple(zones)
        self._shapes = [_shape(it.geometry) for it in self.all]
        shapely.prepare(self._shapes)
        parents = {it.id: it.parent for it in self.all}
        self._depth = {it: _depth(it, parents) for it in parents}

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days on which a zone begins or ends."""
        found = {it for zone in self.all for it in (zone.since, zone.until) if it is not None}
        return tuple(sorted(found))

    def within(self, zone: str) -> frozenset[str]:
        """The zone and all inside it, by their parents."""
        parents = {it.id: it.parent for it in self.all}
        return frozenset(it for it in parents if zone in _line(it, parents))

    def place(self, spell: Spell, on: date) -> Place:
        """Where this address lies on a day: by the polygon of the innermost zone that has its point, else by
        the name of its district."""
        valid = [(zone, its) for zone, its in zip(self.all, self._shapes, strict=True) if holds(zone, on)]
        named = self._named(spell.district, [zone for zone, _ in valid])
        if spell.lon is None or spell.lat is None:
            return Place(named, How.DISTRICT) if named else Place(None, How.UNPLACED)
        touching = [(z, its) for z, its in valid if shapely.intersects_xy(its, spell.lon, spell.lat)]
        inside = [zone.id for zone, its in touching if shapely.contains_xy(its, spell.lon, spell.lat)]
        border = tuple(zone.id for zone, _ in touching if zone.id not in inside)
        if border:
            if named in {*border, *inside}:
                return Place(named, How.DISTRICT)
            return Place(None, How.BORDER, border)
        if inside:
            return Place(max(inside, key=self._depth.__getitem__), How.POLYGON)
        return Place(None, How.OUTSIDE)

    def _named(self, district: str, valid: Iterable[Zone]) -> str | None:
        if not district:
            return None
        wanted = district.casefold()
        found = [it.id for it in valid if wanted in {it.id, *(n.casefold() for n in it.names.values())}]
        return max(found, key=self._depth.__getitem__, default=None)


def _zone(feature: object) -> Zone:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise Wrong("must be a Feature with properties and geometry")
    strange = sorted(properties.keys() - set(_PROPERTIES))
    if strange:
        raise Wrong(f"has the property {strange[0]!r}: the properties are {', '.join(_PROPERTIES)}")
    names = properties.get("names")
    if not isinstance(names, dict) or not names or not names.keys() <= set(LANGUAGES):
        raise Wrong(f"names must have names by language: {', '.join(LANGUAGES)}")
    if not all(isinstance(it, str) and it.strip() for it in names.values()):
        raise Wrong("names must be texts")
    if not isinstance(properties.get("source"), str) or not properties["source"].strip():
        raise Wrong("source must say where the boundary is from")
    zone = Zone(
        name(properties.get("id")),
        dict(names),
        _day(properties, "since"),
        _day(properties, "until"),
        "" if not properties.get("parent") else name(properties["parent"]),
        _area(properties.get("area_km2")),
        properties["source"],
        geometry,
        properties.get("synthetic") is True,
    )
    if zone.since and zone.until and zone.until <= zone.since:
        raise Wrong(f"until {zone.until} is not after since {zone.since}")
    _shape(geometry)
    return zone


def _day(properties: Mapping[str, Any], which: str) -> date | None:
    value = properties.get(which)
    if not value:
        return None
    if not isinstance(value, str):
        raise Wrong(f"{which} must be a day such as 2023-12-31, not {shown(value)}")
    return day(value)


def _area(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Wrong(f"area_km2 must be a number, not {shown(value)}")
    try:
        area = Decimal(str(value))
    except ArithmeticError:
        raise Wrong(f"area_km2 must be a number, not {shown(value)}") from None
    if not area.is_finite() or area <= 0:
        raise Wrong(f"area_km2 must be more than nothing, not {area}")
    return area


def _shape(geometry: Mapping[str, Any]) -> BaseGeometry:
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise Wrong(f"geometry must be a Polygon or a MultiPolygon, not {shown(geometry.get('type'))}")
    try:
        made: BaseGeometry = shape(dict(geometry))
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        RecursionError,
        AttributeError,
        shapely.errors.ShapelyError,
    ) as error:
        raise Wrong(f"geometry has no coordinates that make a polygon: {error}") from None
    if made.is_empty or not made.is_valid:
        raise Wrong(f"geometry is no valid polygon: {shapely.is_valid_reason(made)}")
    west, south, east, north = made.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Wrong("geometry is not in degrees: GeoJSON has [longitude, latitude] in WGS 84")
    return made


def _together(zones: Sequence[Zone]) -> list[Problem]:
    ids, problems = {it.id for it in zones}, list[Problem]()
    parents = {it.id: it.parent for it in zones}
    for index, zone in enumerate(zones):
        where = f"features[{index}]"
        if zone.parent and zone.parent not in ids:
            problems.append(
                Problem(where, f"the parent {zone.parent!r} of {zone.id!r} is not among the zones")
            )
        elif zone.id in _line(zone.parent, parents):
            problems.append(Problem(where, f"{zone.id!r} is inside itself: correct its parent"))
        for other in zones[:index]:
            apart = (zone.until or date.max) <= (other.since or date.min) or (other.until or date.max) <= (
                zone.since or date.min
            )
            if other.id == zone.id and not apart:
                problems.append(Problem(where, f"two polygons of {zone.id!r} hold on the same days: end one"))
    return problems


def _line(zone: str, parents: Mapping[str, str]) -> list[str]:
    """The zone, what it is in, and so on; stops where it comes round."""
    line: list[str] = []
    while zone and zone not in line:
        line.append(zone)
        zone = parents.get(zone, "")
    return line


def _depth(zone: str, parents: Mapping[str, str]) -> int:
    return len(_line(zone, parents))


def _feature(zone: Zone) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "id": zone.id,
            "names": dict(zone.names),
            "since": zone.since.isoformat() if zone.since else "",
            "until": zone.until.isoformat() if zone.until else "",
            "parent": zone.parent,
            "area_km2": None if zone.area_km2 is None else str(zone.area_km2),
            "source": zone.source,
            "synthetic": zone.synthetic,
        },
        "geometry": dict(zone.geometry),
    }
