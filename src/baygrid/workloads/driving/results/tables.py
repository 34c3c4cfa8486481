"""Parquet files that are there whole or not at all, written as the rows come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.driving import values
from baygrid.workloads.parquet import parquet

BATCH: Final = 20_000
"""Rows that are held before they are written."""


@contextmanager
def written(path: Path, schema: pa.Schema) -> Iterator[Table]:
    """`path` is there when the block ends well."""
    with parquet(path, schema) as writer:
        table = Table(writer, schema)
        yield table
        table.flush()


class Table:
    """`groups`: the row groups of each drive, which no two share."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema
        self._held: list[Any] = []
        self._drive = ""
        self._count = 0
        self.groups: dict[str, list[int]] = {}

    def add(self, drive: str, row: Any, **more: Any) -> None:
        """A value of one of frames' classes, as a row of the drive; `more` are columns that it lacks."""
        if drive != self._drive:
            self.flush()
            self._drive = drive
        self._held.append((row, more))
        if len(self._held) >= BATCH:
            self.flush()

    def whole(self, drive: str, columns: dict[str, Any]) -> None:
        """All rows of a drive at once, as columns: one row group."""
        n = len(next(iter(columns.values())))
        self._write(drive, pa.table({"drive": [drive] * n, **columns}, schema=self._schema))

    def flush(self) -> None:
        if not self._held:
            return
        held = [row for row, _ in self._held]
        more = {name: [values.get(name) for _, values in self._held] for name in self._held[0][1]}
        names = [name for name in self._schema.names if name != "drive" and name not in more]
        columns = {"drive": [self._drive] * len(held), **values.columns(held, names), **more}
        self._write(self._drive, pa.table(columns, schema=self._schema))
        self._held = []

    def _write(self, drive: str, rows: pa.Table) -> None:
        """As one row group."""
        self._writer.write_table(rows, row_group_size=rows.num_rows)
        self.groups.setdefault(drive, []).append(self._count)
        self._count += 1
