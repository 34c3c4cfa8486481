"""The registry's plain form, read: a folder of CSV files or a workbook becomes values, and a finding for each
row that is none. What rows say of one another is for `core.region.review` to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from baygrid.core.reading import DocumentError, Wrong
from baygrid.core.region.bodies import Body, Label, Return, Spell, Zone
from baygrid.core.region.rows import COLUMNS, OPTIONAL, Finding, Value, read_row
from baygrid.observatory.spreadsheets import Line, Source, source
from baygrid.observatory.zones import read_zones

NEEDED: Final = frozenset({"bodies"})
"""Without these tables there is nothing to read; others may be missing."""


@dataclass(slots=True)
class Plain:
    """All of a registry, in the order of its files. Rows with findings are not among the values."""

    bodies: list[Body] = field(default_factory=list)
    addresses: list[Spell] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


Raw = tuple[int, dict[str, str], Finding | None]
"""A line's number, its cells by column, and what is wrong with it as a whole."""


@dataclass(frozen=True, slots=True)
class Read:
    """One row of a table: its value, or what is wrong with it. `row`: its cells by column."""

    line: int
    row: dict[str, str]
    value: Value | None
    findings: tuple[Finding, ...] = ()


def read(path: Path) -> Plain:
    """Raises Wrong where `path` is no such thing at all."""
    plain, given = Plain(), source(path)
    places: dict[str, list[Any]] = {
        "bodies": plain.bodies,
        "addresses": plain.addresses,
        "labels": plain.labels,
        "returns": plain.returns,
    }
    for table, values in places.items():
        for one in rows(given, table):
            plain.findings += one.findings
            if one.value is not None:
                values.append(one.value)
    plain.zones, found = zones_of(given)
    plain.findings += found
    return plain


def zones_of(given: Source) -> tuple[list[Zone], list[Finding]]:
    """Those that come along, if any."""
    document = given.zones()
    if document is None:
        return [], []
    try:
        return read_zones(document), []
    except DocumentError as error:
        return [], [Finding("zones", 0, "", "bad-zones", str(it)) for it in error.problems]


def rows(given: Source, table: str) -> Iterator[Read]:
    """Every row of a table, read."""
    for line, row, wrong in raw(given, table):
        made = [wrong] if wrong else read_row(table, line, row)
        if isinstance(made, list):
            yield Read(line, row, None, tuple(made))
        else:
            yield Read(line, row, made)


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
        body = row.get("id" if table == "bodies" else "body", "")
        yield line.number, row, Finding(table, line.number, body, "bad-row", said)


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
