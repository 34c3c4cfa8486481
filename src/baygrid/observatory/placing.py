"""In which zones all addresses of a registry lie, as `Zones.place` says of one: many at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry import shape

from baygrid.core.region.bodies import Zone, holds
from baygrid.observatory.tree import Tree, rest
from baygrid.observatory.zones import Zones


def placed(addresses: pa.Table, zones: Zones) -> pa.Table:
    """A row (spell, zone, since, until) for each zone that the address of row `spell` lies in on those days.
    What lies in a zone lies in all that this one is inside of, and if in none of those inside, in its `rest`.
    """
    tree = Tree(zones.all)
    ways = {it: (it, *tree.ways(it)) for it in tree.zones}
    rests = {it: (rest(it),) for it in tree.split}
    days = [None, *zones.days]
    parts = []
    for since, until in zip(days, [*zones.days, None], strict=True):
        valid = [it for it in zones.all if holds(it, since or date.min)]
        innermost = _innermost(addresses, valid, ways)
        for number, zone in enumerate(valid):
            rows = np.flatnonzero(innermost == number)
            names = (*ways[zone.id], *rests.get(zone.id, ()))
            parts += [_rows(rows, name, since, until) for name in names]
    return pa.concat_tables([_rows(np.empty(0, np.int64), "", None, None), *parts])


def _innermost(
    addresses: pa.Table, valid: list[Zone], ways: dict[str, tuple[str, ...]]
) -> np.ndarray[Any, Any]:
    """For each address the number of its zone among the valid ones, or -1."""
    lon = addresses["lon"].to_numpy(zero_copy_only=False)
    lat = addresses["lat"].to_numpy(zero_copy_only=False)
    pointed = ~(np.isnan(lon) | np.isnan(lat))
    named = _named(addresses["district"], valid, ways)
    touched = np.zeros((len(valid), len(lon)), bool)
    found = np.where(pointed, -1, named)
    outwards = sorted(range(len(valid)), key=lambda number: len(ways[valid[number].id]))
    on_border = np.zeros(len(lon), bool)
    for number in outwards:
        polygon = shape(dict(valid[number].geometry))
        shapely.prepare(polygon)
        touched[number] = shapely.intersects_xy(polygon, lon, lat)
        inside = shapely.contains_xy(polygon, lon, lat)
        found = np.where(inside & pointed, number, found)
        on_border |= touched[number] & ~inside
    told = (named >= 0) & touched[named, np.arange(len(lon))] if valid else on_border
    return np.where(on_border & pointed, np.where(told, named, -1), found)


def _named(
    districts: pa.ChunkedArray, valid: list[Zone], ways: dict[str, tuple[str, ...]]
) -> np.ndarray[Any, Any]:
    """The number of the innermost zone that has the name of the district, or -1."""
    numbers: dict[str, int] = {}
    for number in sorted(range(len(valid)), key=lambda it: len(ways[valid[it].id])):
        zone = valid[number]
        numbers |= dict.fromkeys((zone.id, *(it.casefold() for it in zone.names.values())), number)
    known = districts.combine_chunks().dictionary_encode()
    each = [numbers.get((text or "").casefold(), -1) for text in known.dictionary.to_pylist()]
    indices = known.indices.fill_null(len(each)).to_numpy(zero_copy_only=False)
    named: np.ndarray[Any, Any] = np.array([*each, -1])[indices]
    return named


def _rows(rows: np.ndarray[Any, Any], zone: str, since: date | None, until: date | None) -> pa.Table:
    take = pa.array(np.zeros(len(rows), np.int64))
    return pa.table(
        {
            "spell": pa.array(rows, pa.int64()),
            "zone": pa.array([zone], pa.string()).take(take),
            "since": pa.array([since], pa.date32()).take(take),
            "until": pa.array([until], pa.date32()).take(take),
        }
    )
