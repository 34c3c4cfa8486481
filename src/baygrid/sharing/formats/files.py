"""Parquet files as one stream of rows, one file after the other, little of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.ports.reader import ReadFailed
from baygrid.sharing.places.place import Place

BATCH: Final = 32_768
"""Rows that are read at a time at most."""
BYTES: Final = 16 << 20
"""Of values that go on at a time, about."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table. `constants`: what all its rows have in columns that are not in it."""

    path: str
    constants: Mapping[str, Any] = field(default_factory=dict)


def footer(place: Place, path: str) -> tuple[pa.Schema, int]:
    """Columns and rows of a file. Raises ReadFailed."""
    with _file(place, path) as file:
        return file.schema_arrow, file.metadata.num_rows


def stream(place: Place, parts: Sequence[Part], schema: pa.Schema) -> pa.RecordBatchReader:
    """The rows of all parts with the columns of `schema`, in its types; null where a file lacks a column.
    Whoever reads on after an error finds an end (Arrow's streams tell errors as OSError)."""
    return pa.RecordBatchReader.from_batches(schema, _batches(place, parts, schema))


def _batches(place: Place, parts: Sequence[Part], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with _file(place, part.path) as file:
            present = set(file.schema_arrow.names) - part.constants.keys()
            # A column more where none is asked for: rows are counted by it.
            chosen = [name for name in schema.names if name in present] or file.schema_arrow.names[:1]
            for batch in file.iter_batches(_rows(file.metadata, chosen), columns=chosen):
                yield from sliced(_shaped(batch, part, schema))


def sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Pieces of few bytes: DuckDB works on two thousand rows at a time, which may be long."""
    pieces = -(-batch.nbytes // BYTES) or 1
    step = -(-batch.num_rows // pieces) or 1
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _rows(metadata: pq.FileMetaData, columns: Sequence[str]) -> int:
    """How many to read at a time, by how many bytes the file says that a row of these columns has."""
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    size = sum(
        group.column(n).total_uncompressed_size
        for group in groups
        for n in range(group.num_columns)
        if group.column(n).path_in_schema.partition(".")[0] in columns
    )
    return max(64, min(BATCH, BYTES * max(int(metadata.num_rows), 1) // max(int(size), 1)))


def _shaped(batch: pa.RecordBatch, part: Part, schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for each in schema:
        if each.name in part.constants:
            value = pa.scalar(part.constants[each.name], each.type)
            arrays.append(pa.repeat(value, batch.num_rows))
        elif each.name in batch.schema.names:
            array = batch.column(each.name)
            arrays.append(array if array.type == each.type else array.cast(each.type))
        else:
            arrays.append(pa.nulls(batch.num_rows, each.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@contextmanager
def _file(place: Place, path: str) -> Iterator[pq.ParquetFile]:
    with place.open(path) as raw:
        try:
            # Few bytes at a time: a row group may be larger than memory.
            with pq.ParquetFile(raw, buffer_size=1 << 20, pre_buffer=False) as file:
                yield file
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ReadFailed(f"{path[:200]} cannot be read as Parquet ({type(error).__name__})") from None
