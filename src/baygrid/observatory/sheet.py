"""Figures as CSV: a row for each, with all that it carries."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

COLUMNS: Final = (
    "id", "value", "unit", "population", "period", "vintage", "source", "coverage", "note", "synthetic",
)  # fmt: skip


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A label that begins so would be computed by a spreadsheet."""


def as_csv(figures: Sequence[Mapping[str, Any]]) -> str:
    """Of figures as JSON has them. What is not told is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for it in figures:
        writer.writerow([cell(it[name]) for name in COLUMNS])
    return out.getvalue()


def cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    number = text.removeprefix("-").replace(".", "", 1).isdecimal()
    return text if number or not text.startswith(_FORMULA) else f"'{text}"
