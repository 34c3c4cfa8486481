"""Figures of columns, and samples of values for the classifier. Neither leaves the process but as figures and
as kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import duckdb

from baygrid.ports.reader import Column
from baygrid.sharing.types import quoted

FEW: Final = 3
"""A count of fewer is not told: it would speak of somebody."""
SAMPLE: Final = 5_000
"""Rows that the classifier looks at: the first ones."""
_LONGEST: Final = 100
"""Characters of a least or greatest text."""
_ORDERED: Final = ("int", "double", "float", "decimal", "string", "date", "timestamp")
_NUMBERS: Final = ("int", "double", "float")


def figures(
    database: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]
) -> dict[str, dict[str, Any]]:
    """By column: rows, nulls, distinct values (about), least and greatest. None: fewer than FEW, or not
    known."""
    asked = ["count(*)"]
    for each in columns:
        own = quoted(each.name)
        asked += [f"count({own})", f"approx_count_distinct({own})", *_bounds(each, own)]
    row = database.execute(f"SELECT {', '.join(asked)} FROM {relation}").fetchone() or ()  # noqa: S608 - quoted
    rows, *rest = row
    answers = iter(rest)
    found = {}
    for each in columns:
        values, distinct, least, greatest = (next(answers) for _ in range(4))
        nulls = rows - values
        found[each.name] = {
            "rows": _told(rows),
            "nulls": None if 0 < values < FEW else _told(nulls),
            "distinct": _told(min(distinct, values)),
            "least": least if values >= FEW else None,
            "greatest": greatest if values >= FEW else None,
        }
    return found


def samples(
    database: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]
) -> dict[str, tuple[Sequence[str], bool]]:
    """By column: values as text without blanks around them, and whether it is text by its type."""
    asked = ", ".join(f"left(trim(CAST({quoted(each.name)} AS VARCHAR)), 400)" for each in columns)
    rows = database.execute(f"SELECT {asked} FROM {relation} LIMIT {SAMPLE}").fetchall()  # noqa: S608 - quoted
    return {
        each.name: ([row[n] for row in rows if row[n]], each.type == "string")
        for n, each in enumerate(columns)
    }  # fmt: skip


def _bounds(column: Column, own: str) -> list[str]:
    if not column.type.startswith(_ORDERED):
        return ["NULL", "NULL"]
    if column.type.startswith(_NUMBERS):
        return [f"min({own})", f"max({own})"]
    return [f"left(CAST({end}({own}) AS VARCHAR), {_LONGEST})" for end in ("min", "max")]


def _told(count: int) -> int | None:
    return None if 0 < count < FEW else count
