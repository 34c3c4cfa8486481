"""The picture of a month's money as it goes: places on a page, for an SVG that the template writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from baygrid.app.spending import Day
from baygrid.core.pricing.months import Month

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 24, 28


@dataclass(frozen=True, slots=True)
class Burning:
    """`left`: the points of what was left after each day; `even`: of a month that uses the same each day;
    `ahead`: from now to what is expected. `zero`: how far down nothing is left. `days` stand under it."""

    left: str
    area: str
    even: str
    ahead: str
    zero: float
    end: tuple[float, float]
    days: tuple[tuple[float, date], ...]


def burning(had: int, days: Sequence[Day], month: Month, expected: int) -> Burning:
    """Of `had` minor units at the month's beginning; `expected` are charged at its end."""
    count = (month.last_day - month.first_day).days + 1
    lefts = [had - spent for spent in accumulate((it.charged for it in days), initial=0)]
    top, low = max(1, had, *lefts), min(0, *lefts, had - expected)

    def place(day: int, amount: int) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * day / count
        return round(x, 1), round(TOP + (HEIGHT - TOP - BOTTOM) * (top - amount) / (top - low), 1)

    line = [place(day, amount) for day, amount in enumerate(lefts)]
    zero = place(0, 0)[1]
    area = [(line[0][0], zero), *line, (line[-1][0], zero)]
    middle = month.first_day.replace(day=15)
    marks = ((0.5, month.first_day), (14.5, middle), (count - 0.5, month.last_day))
    return Burning(
        _points(line), _points(area), _points([place(0, had), place(count, 0)]),
        _points([line[-1], place(count, had - expected)]), zero, line[-1],
        tuple((round(LEFT + (WIDTH - LEFT - RIGHT) * at / count, 1), day) for at, day in marks),
    )  # fmt: skip


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)
