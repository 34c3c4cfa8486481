"""Shown rows as Parquet files.

Rows come in the order of what is shown of them, column by column: an order by hidden values would tell of
them, equal terms over an equal version give equal bytes, and readers that look for few values skip the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from baygrid.ports.reader import Column, File, ReadFailed
from baygrid.sharing.engine import told
from baygrid.sharing.statistics import statistics
from baygrid.sharing.types import quoted, text

GROUP_BYTES: Final = 48 << 20
"""Of the values of one row group, about, before they are packed: who reads by ranges asks once for each
column of each, and who reads with little memory holds one."""
GROUP_ROWS: Final = range(2_048, 1_048_577, 2_048)
FILE_GROUPS: Final = 4
"""Row groups of a file at most: readers ask for files side by side."""
_BEGINNING: Final = 64
_NARROW: Final = ("int", "double", "float", "bool", "date", "timestamp", "decimal")
_SAMPLE: Final = 1_000
"""Rows, the first ones, by which it is judged how wide a row is."""


@dataclass(frozen=True, slots=True)
class Into:
    """Files go into `folder`, named `NAME-00000.parquet` and so on. `version`, `change`: as `File` has
    them."""

    folder: Path
    name: str
    version: int
    change: str = ""


def write(database: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[Column], into: Into) -> list[File]:
    """The rows of `sql`, which are `columns`; no file for no row. Raises ReadFailed."""
    with told():
        ordered = f"SELECT * FROM ({sql}) ORDER BY {_order(columns)}"  # noqa: S608 - checked, and written anew
        database.execute(f"CREATE OR REPLACE TEMP TABLE sorted AS {ordered}")
        (rows,) = database.execute("SELECT count(*) FROM sorted").fetchone() or (0,)
        group = _group(database, columns)
        starts = range(0, rows, FILE_GROUPS * group)
        found = [_file(database, columns, into, number, start, group) for number, start in enumerate(starts)]
        database.execute("DROP TABLE sorted")
    return found


def _order(columns: Sequence[Column]) -> str:
    """SQL for an order that no two different rows share. Of long values only the beginning is compared: what
    is compared is held beside the rows."""
    found = []
    for each in columns:
        own = quoted(each.name)
        if each.type.startswith(_NARROW):
            found.append(own)
        elif each.type == "string":
            found += [
                f"left({own}, {_BEGINNING})",
                f"CASE WHEN strlen({own}) > {_BEGINNING} THEN md5({own}) END",
            ]
        else:
            found.append(f"md5(CAST({own} AS VARCHAR))")
    return ", ".join(found)


def _group(database: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> int:
    """Rows of a row group: the fewer the wider they are."""
    widths = [
        f"coalesce(avg(strlen(CAST({quoted(each.name)} AS VARCHAR))), 0)"
        for each in columns
        if not each.type.startswith(_NARROW)
    ]
    asked = f"SELECT {' + '.join([str(8 * len(columns)), *widths])} FROM sorted WHERE rowid < {_SAMPLE}"  # noqa: S608
    (width,) = database.execute(asked).fetchone() or (8,)
    step = GROUP_ROWS.step
    return min(max(int(GROUP_BYTES / width) // step * step, GROUP_ROWS.start), GROUP_ROWS[-1])


def _file(
    database: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    into: Into,
    number: int,
    start: int,
    group: int,
) -> File:
    path = into.folder / f"{into.name}-{number:05}.parquet"
    wanted = f"SELECT * FROM sorted WHERE rowid >= {start} AND rowid < {start + FILE_GROUPS * group}"  # noqa: S608
    form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group}, RETURN_STATS"
    done = database.execute(f"COPY ({wanted}) TO {text(str(path))} ({form})").fetchone()
    if done is None:
        raise ReadFailed("a file could not be written")
    _, rows, size, _, found, _ = done
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path, size, rows, digest, statistics(columns, rows, found), into.version, into.change)
