"""The catalogue of indicators: all figures of a zone, on a day, as known by a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from baygrid.core.indicators.figure import Figure
from baygrid.core.indicators.formulas import Refused, ratio
from baygrid.observatory.asked import Asked, Unanswerable
from baygrid.observatory.counted import COUNT, counted, derived
from baygrid.observatory.frames import Frames, opened
from baygrid.observatory.published import on_land, published
from baygrid.observatory.reported import reported
from baygrid.observatory.tables import Registry
from baygrid.observatory.tree import Tree, at

FIRST_YEAR: Final = 1950


def figures(registry: Registry, zone: str | None, day: date, known: date) -> list[Figure]:
    """Of the zone; of the one outermost zone where none is named. Raises Unanswerable and BadRegistry."""
    with opened(registry) as frames:
        return _figures(frames, zone, day, known)


def history(registry: Registry, zone: str | None, id: str, days: Iterable[date], known: date) -> list[Figure]:
    """One figure on each of some days. Raises Unanswerable and BadRegistry."""
    with opened(registry) as frames:
        return [pick(_figures(frames, zone, day, known), id) for day in days]


def compare(
    registry: Registry, top: str, bottom: str, zone: str | None, day: date, known: date
) -> Figure | Refused:
    """One figure on another, each named by its id or as id@zone. Raises Unanswerable and BadRegistry."""
    with opened(registry) as frames:
        sides = []
        for name in (top, bottom):
            id, _, where = name.partition("@")
            sides.append(pick(_figures(frames, where or zone, day, known), id))
    return ratio(sides[0], sides[1], f"{top}/{bottom}")


def pick(found: Iterable[Figure], id: str) -> Figure:
    """The figure of this id. Raises Unanswerable."""
    known = {it.id: it for it in found}
    if id not in known:
        raise Unanswerable(f"there is no figure {id!r} here; there are {', '.join(known)}")
    return known[id]


def _figures(frames: Frames, zone: str | None, day: date, known: date) -> list[Figure]:
    asked = _asked(frames, zone, day, known)
    found = counted(asked)
    return [
        *derived(asked, found),
        *on_land(asked, found[at(COUNT, asked.zone)], found[at(COUNT, asked.city)]),
        *reported(asked),
        *published(asked),
    ]


def _asked(frames: Frames, zone: str | None, day: date, known: date) -> Asked:
    if day.year < FIRST_YEAR:
        raise Unanswerable(f"{day} is before {FIRST_YEAR}: ask for a later day")
    tree = Tree(frames.zones.all)
    if not tree.zones:
        raise Unanswerable("the registry has no zones: `baygrid registry import` brings a registry with them")
    if zone is None:
        if len(tree.outermost) != 1:
            raise Unanswerable(
                f"this registry has {len(tree.outermost)} outermost zones: name one of {_listed(tree)}"
            )
        zone = tree.outermost[0]
    elif zone not in tree.zones:
        raise Unanswerable(f"this registry has no zone {zone!r}: it has {_listed(tree)}")
    city = (zone, *tree.ways(zone))[-1]
    return Asked(frames, tree, zone, city, day, known, frames.synthetic())


def _listed(tree: Tree) -> str:
    return ", ".join(tree.zones) or "none"
