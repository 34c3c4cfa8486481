"""All shards' rows as one Parquet file, which appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa

from baygrid.workloads.parquet import parquet

FILE: Final = "labels.parquet"

ROWS_PER_GROUP: Final = 8192


def write(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """The tables one after another; some thousand rows are in memory."""
    with parquet(path, schema) as writer:
        waiting: list[pa.Table] = []
        for table in tables:
            waiting.append(table)
            if sum(len(each) for each in waiting) >= ROWS_PER_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
