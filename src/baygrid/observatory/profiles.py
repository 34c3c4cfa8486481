"""Profiles of cities, with the source of each fact. What is not established is "not loaded"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

NOT_LOADED: Final = "not loaded"


@dataclass(frozen=True, slots=True)
class Fact:
    """`value` is a decimal text; `bound` "more than" where that is all that is known."""

    id: str
    value: str
    unit: str
    population: str
    period: str
    source: str
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """`position`: in a few words what it builds on, and who says so; both NOT_LOADED where nobody does.
    `facts` is empty where none is established."""

    city: str
    names: Mapping[str, str]
    position: str
    position_source: str
    facts: tuple[Fact, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "city": self.city,
            "names": dict(self.names),
            "position": self.position,
            "position_source": self.position_source,
            "facts": [asdict(it) for it in self.facts] or NOT_LOADED,
        }


@cache
def profiles() -> tuple[Profile, ...]:
    """Those that the software comes with."""
    document = yaml.safe_load(files("baygrid.observatory").joinpath("profiles.yaml").read_bytes())
    sources = document["sources"]
    return tuple(_profile(city, its, sources) for city, its in document["cities"].items())


def _profile(city: str, its: Mapping[str, Any], sources: Mapping[str, str]) -> Profile:
    position = its.get("position")
    facts = tuple(Fact(**{**fact, "source": sources[fact["source"]]}) for fact in its.get("facts", ()))
    if position is None:
        return Profile(city, its["names"], NOT_LOADED, NOT_LOADED, facts)
    return Profile(city, its["names"], position["says"], sources[position["source"]], facts)
