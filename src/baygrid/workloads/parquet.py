"""Parquet files that are there whole or not at all, written as the rows come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.whole import whole


@contextmanager
def parquet(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """`path` is there when the block ends well."""
    with whole(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        yield writer
