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
from baygrid.sharing.types import text

ROW_GROUP: Final = 122_880
"""Rows: what DuckDB hands to one thread. A reader asks for some megabytes at a time."""
FILE_ROWS: Final = 16 * ROW_GROUP
"""Rows of a file at most: readers ask for files side by side."""


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
        database.execute(f"CREATE OR REPLACE TEMP TABLE sorted AS {sql} ORDER BY ALL")
        (rows,) = database.execute("SELECT count(*) FROM sorted").fetchone() or (0,)
        found = [
            _file(database, columns, into, number, start)
            for number, start in enumerate(range(0, rows, FILE_ROWS))
        ]
        database.execute("DROP TABLE sorted")
    return found


def _file(
    database: duckdb.DuckDBPyConnection, columns: Sequence[Column], into: Into, number: int, start: int
) -> File:
    path = into.folder / f"{into.name}-{number:05}.parquet"
    wanted = f"SELECT * FROM sorted WHERE rowid >= {start} AND rowid < {start + FILE_ROWS}"  # noqa: S608
    form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, RETURN_STATS"
    done = database.execute(f"COPY ({wanted}) TO {text(str(path))} ({form})").fetchone()
    if done is None:
        raise ReadFailed("a file could not be written")
    _, rows, size, _, found, _ = done
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path, size, rows, digest, statistics(columns, rows, found), into.version, into.change)
