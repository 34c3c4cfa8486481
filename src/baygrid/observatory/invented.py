"""Invented companies, year by year: they are founded, move, change their layer and end, so that at the end
of each year there are as many as were asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

Targets = Mapping[int, Mapping[str, tuple[int, int, int]]]
"""By year and place how many of each layer, in the order of `core.region.bodies.LAYERS`."""

HERE: Final = "qianhai"
REST: Final = "rest"

_TECHNOLOGY, _APPLICATION = 1, 2
_ENDING_PERCENT: Final = 3


@dataclass
class Company:
    """`moves`, `layers`: where it was and which layer it had, from when; the last are so still."""

    number: int
    founded: date
    moves: list[tuple[date, str]]
    layers: list[tuple[date, int]]
    dissolved: date | None = None
    fields: list[str] = field(default_factory=list)

    @property
    def cell(self) -> tuple[str, int]:
        return self.moves[-1][1], self.layers[-1][1]


def companies(targets: Targets, random: Random) -> list[Company]:
    """All that ever were, in the order of their numbers. Raises ValueError where more would have to end than
    do."""
    alive: list[Company] = []
    made: list[Company] = []
    for year in sorted(targets):
        begun = year == min(targets)
        cells = _Cells(alive, random)
        ended = {it.number for it in ([] if begun else _end(cells, year, random))}
        alive = [it for it in alive if it.number not in ended]
        if not begun:
            _change(cells, targets[year], alive, year, random)
        for founded, place, layer in _founded(targets[year], alive, year, begun, random):
            it = Company(len(made) + 1, founded, [(founded, place)], [(founded, layer)])
            made.append(it)
            alive.append(it)
    return made


class _Cells:
    """Companies by place and layer, in a random order; each is taken once in a year."""

    def __init__(self, alive: list[Company], random: Random) -> None:
        self.all: dict[tuple[str, int], list[Company]] = defaultdict(list)
        for it in random.sample(alive, len(alive)):
            self.all[it.cell].append(it)

    def take(self, place: str, layer: int, number: int) -> list[Company]:
        cell = self.all[place, layer]
        taken, cell[:] = cell[:number], cell[number:]
        return taken


def _end(cells: _Cells, year: int, random: Random) -> Iterator[Company]:
    for (place, layer), cell in sorted(cells.all.items()):
        for it in cells.take(place, layer, len(cell) * _ENDING_PERCENT // 100):
            it.dissolved = _day(year, random)
            yield it


def _change(
    cells: _Cells, wanted: Mapping[str, tuple[int, int, int]], alive: list[Company], year: int, random: Random
) -> None:
    """A few go from the application to the technology layer. Two fifths of what a place gains move there,
    few move away, and one of twenty moves within the rest of the city."""
    for place in (HERE, REST):
        for it in cells.take(place, _APPLICATION, 1 + (place == REST)):
            it.layers.append((_day(year, random), _TECHNOLOGY))
    standing = _standing(alive)
    for layer, target in enumerate(wanted[HERE]):
        here, there = standing[HERE, layer], standing[REST, layer]
        ways = (
            (HERE, REST, here // 40),
            (REST, HERE, max(0, target - here) * 2 // 5),
            (REST, REST, there // 20),
        )
        for origin, place, number in ways:
            for it in cells.take(origin, layer, number):
                it.moves.append((_day(year, random), place))


def _founded(
    wanted: Mapping[str, tuple[int, int, int]], alive: list[Company], year: int, begun: bool, random: Random
) -> Iterator[tuple[date, str, int]]:
    """What is lacking; before the first year they were founded over eight years."""
    standing = _standing(alive)
    for place, layers in wanted.items():
        for layer, target in enumerate(layers):
            lacking = target - standing[place, layer]
            if lacking < 0:
                raise ValueError(f"{year}: {-lacking} too many in {place}, layer {layer}: ask for more")
            for _ in range(lacking):
                yield _day(year - (random.randrange(8) if begun else 0), random), place, layer


def _standing(alive: list[Company]) -> Mapping[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for it in alive:
        counts[it.cell] += 1
    return counts


def _day(year: int, random: Random) -> date:
    return date(year, 1, 2) + timedelta(days=random.randrange(360))
