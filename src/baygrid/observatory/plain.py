"""The registry's plain form, read: a folder of CSV files or a workbook becomes rows of cells, and a finding
for each that is none. What cells say is for `core.region.rows` to judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baygrid.core.reading import DocumentError, Wrong
from baygrid.core.region.bodies import Zone
from baygrid.core.region.rows import COLUMNS, OPTIONAL, Finding, body_of
from baygrid.observatory.spreadsheets import Line, Source
from baygrid.observatory.zones import read_zones

NEEDED: Final = frozenset({"bodies"})
"""Without these tables there is nothing to read; others may be missing."""


Raw = tuple[int, dict[str, str], Finding | None]
"""A line's number, its cells by column, and what is wrong with it as a whole."""


def zones_of(given: Source) -> tuple[list[Zone], list[Finding]]:
    """Those that come along, if any."""
    document = given.zones()
    if document is None:
        return [], []
    try:
        return read_zones(document), []
    except DocumentError as error:
        return [], [Finding("zones", 0, "", "bad-zones", str(it)) for it in error.problems]


def raw(given: Source, table: str) -> Iterator[Raw]:
    """Every row of a table as its cells by column, or what is wrong with it as a whole. A table that is not
    there has none; one that cannot be read ends with a finding."""
    if not given.has(table):
        if table in NEEDED:
            said = f"there is no {table}.csv (or sheet {table}): add it"
            yield 0, {}, Finding(table, 0, "", "missing-table", said)
        return
    try:
        yield from _raw(given, table)
    except Wrong as wrong:
        yield 0, {}, Finding(table, 0, "", "unreadable", f"{table} {wrong}")


def _raw(given: Source, table: str) -> Iterator[Raw]:
    lines = given.lines(table)
    header = next(lines, Line(1, ()))
    columns = [it.strip().lower() for it in header.cells]
    said = _of_header(table, columns)
    if said:
        yield header.number, {}, Finding(table, header.number, "", "bad-header", said)
        return
    for line in lines:
        row = dict(zip(columns, line.cells, strict=False))
        if not any(line.cells[len(columns) :]):
            yield line.number, row, None
            continue
        said = (
            f"has {len(line.cells)} cells for {len(columns)} columns: put a cell that has the separator in it"
            " into quotes"
        )
        yield line.number, row, Finding(table, line.number, body_of(table, row), "bad-row", said)


def _of_header(table: str, columns: list[str]) -> str | None:
    known = COLUMNS[table]
    twice = sorted({it for it in columns if columns.count(it) > 1 and it})
    strange = [it for it in columns if it not in known]
    missing = [it for it in known if it not in columns and it not in OPTIONAL]
    if missing:
        return f"the header lacks {', '.join(missing)}: the columns are {', '.join(known)}"
    if twice:
        return f"the header has {', '.join(twice)} twice: take one out"
    if strange:
        return f"the header has {', '.join(map(repr, strange))}: the columns are {', '.join(known)}"
    return None
