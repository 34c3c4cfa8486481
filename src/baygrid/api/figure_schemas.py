"""Figures and charts as answers have them."""

from __future__ import annotations

from typing import Final

from baygrid.api.edge import Responses
from baygrid.api.schemas import Shape

CSV: Final[Responses] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class Figure(Shape):
    """`value` and `coverage` are decimal texts; `value` null: not told, and `note` says why."""

    id: str
    value: str | None
    unit: str
    population: str
    period: str
    vintage: str
    source: str
    coverage: str | None
    note: str
    synthetic: bool


class Figures(Shape):
    items: list[Figure]


class ChartRow(Shape):
    label: dict[str, str]
    series: dict[str, str] | None
    figure: Figure


class Chart(Shape):
    """Words are by language. `per`: by how much a language's unit is larger than the figures'."""

    id: str
    kind: str
    title: dict[str, str]
    axis: dict[str, str]
    per: dict[str, str]
    source: dict[str, str]
    note: dict[str, str] | None
    synthetic: bool
    rows: list[ChartRow]
