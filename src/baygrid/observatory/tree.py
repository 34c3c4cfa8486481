"""Zones as a table with margins: each zone is the sum of those in it and of its rest, which nobody tells but
anybody can reckon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from baygrid.core.indicators.suppress import Sum
from baygrid.core.region.bodies import Zone


class Tree:
    """The zones of a registry by what they are inside of."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._parents = {it.id: it.parent for it in zones}
        self.zones = sorted(self._parents)

    def ways(self, zone: str) -> tuple[str, ...]:
        """What the zone is inside of, the nearest first."""
        found = []
        while zone := self._parents[zone]:
            found.append(zone)
        return tuple(found)

    @property
    def outermost(self) -> list[str]:
        return [it for it in self.zones if not self._parents[it]]

    def inside(self, zone: str) -> list[str]:
        """The zones directly in it."""
        return [it for it in self.zones if self._parents[it] == zone]

    @property
    def split(self) -> list[str]:
        """The zones that have others in them."""
        return [it for it in self.zones if self.inside(it)]

    def sums(self, families: Iterable[str], margins: Sequence[Mapping[str, int]]) -> Iterator[Sum]:
        """All that holds: in each zone and each rest the margins, which are of families, and of each family
        the zone is its parts."""
        for place in (*self.zones, *map(rest, self.split)):
            for margin in margins:
                yield {at(family, place): factor for family, factor in margin.items()}
        for family in families:
            for zone in self.split:
                parts = (*self.inside(zone), rest(zone))
                yield {at(family, zone): -1} | {at(family, part): 1 for part in parts}


def rest(zone: str) -> str:
    """What of a zone is in no zone inside it."""
    return f"{zone}/rest"


def at(family: str, place: str) -> str:
    """The name of a cell."""
    return f"{family}@{place}"
