"""Where a job may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import Wrong, shown
from baygrid.core.reasons import JSON

MAX_PLACES: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A centre, or one partition of it; an empty `partition` stands for all of the centre."""

    centre: str
    partition: str = ""

    def __str__(self) -> str:
        return f"{self.centre}/{self.partition}" if self.partition else self.centre


@dataclass(frozen=True, slots=True)
class Infra:
    """The places a job may run at (none named: anywhere), less those it avoids.

    `ordered`: the first place is preferred to the second and so on, else they are equal (and sorted).
    """

    places: tuple[Place, ...] = ()
    ordered: bool = False
    avoid: tuple[Place, ...] = ()


ANY: Final = Infra()


def infra(value: object, path: str, found: Problems) -> Infra:
    """Parse the field `infra`: any, a place, or a mapping with any_of or ordered, and avoid."""
    if value == "any":
        return ANY
    if isinstance(value, str):
        place = found.attempt(path, _place, value)
        return Infra((place,)) if place else ANY
    if not isinstance(value, Mapping):
        found.add(path, f"must be any, centre, centre/partition or a mapping, not {shown(value)}")
        return ANY
    section = Section(value, path, ("any_of", "ordered", "avoid"), found)
    places = fields.items(_place, MAX_PLACES)
    any_of = section.part("any_of", places, ())
    ordered = section.part("ordered", places, ())
    avoid = section.part("avoid", places, ())
    if any_of and ordered:
        found.add(path, "has both any_of and ordered: keep one of them")
    for place in avoid:
        if place in any_of or place in ordered:
            found.add(section.at("avoid"), f"{place} is also asked for: take it out of one of the lists")
    if len(ordered) > 1:
        return Infra(ordered, True, tuple(sorted(avoid)))
    return Infra(tuple(sorted(any_of or ordered)), False, tuple(sorted(avoid)))


def document(where: Infra) -> JSON:
    """The field `infra` that parses to `where`."""
    places = [str(place) for place in where.places]
    if not where.avoid and len(places) < 2:
        return places[0] if places else "any"
    written: dict[str, JSON] = {"ordered" if where.ordered else "any_of": places} if places else {}
    if where.avoid:
        written["avoid"] = [str(place) for place in where.avoid]
    return written


def _place(value: object) -> Place:
    centre, slash, partition = value.partition("/") if isinstance(value, str) else ("any", "", "")
    if centre == "any":
        raise Wrong(f"must be a centre or centre/partition, not {shown(value)}")
    return Place(reading.name(centre), reading.name(partition) if slash else "")
