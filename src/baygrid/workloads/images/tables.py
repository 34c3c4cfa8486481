"""Parquet tables of pictures: bytes in a column, as data sets are published, or paths beside the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.storage.names import words
from baygrid.workloads.storage.readable import NotThere
from baygrid.workloads.storage.reading import file as opened_file

AT_A_TIME: Final = 16  # rows in memory

NAMES: Final = ("path", "file", "file_name", "filename", "image", "image_path")
"""Columns of text that are taken for paths, best first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A row's picture: its bytes, or its path beside the table, or neither where the row has none."""

    row: int
    data: bytes | None
    path: str | None


def groups(at: str) -> list[int]:
    """Rows in each row group. Raises NotThere where it is no table, or one without pictures."""
    with _opened(at) as file:
        table = _table(file)
        _column(table.schema_arrow)
        return [table.metadata.row_group(number).num_rows for number in range(table.num_row_groups)]


def cells(at: str, group: int, first: int, count: int) -> Iterator[Cell]:
    """So many pictures of one row group, from its row `first` on; a few rows are in memory. Raises NotThere
    where the table is damaged."""
    with _opened(at) as file:
        table = _table(file)
        column = _column(table.schema_arrow)
        begin = sum(table.metadata.row_group(number).num_rows for number in range(group))
        row = begin
        begin += first
        try:
            for batch in table.iter_batches(AT_A_TIME, row_groups=[group], columns=[column]):
                if row + len(batch) > begin:
                    skipped = max(0, begin - row)
                    left = max(0, begin + count - row)
                    for number, value in enumerate(batch.column(0)[skipped:left], row + skipped):
                        yield _cell(number, value.as_py())
                row += len(batch)
                if row >= begin + count:
                    return
        except (pa.ArrowException, OSError, ValueError, OverflowError) as wrong:
            raise NotThere(f"damaged: {words(wrong)}") from wrong


def _opened(at: str) -> BinaryIO:
    try:
        return opened_file(at)
    except OSError as wrong:
        raise NotThere(str(wrong)) from wrong


def _table(file: BinaryIO) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as wrong:
        raise NotThere(f"not a Parquet table: {words(wrong)}") from wrong


def _column(schema: pa.Schema) -> str:
    """The first column of bytes, bare or in a struct (`{bytes, path}`, as published), else of paths."""
    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and (index := kind.get_field_index("bytes")) >= 0:
            kind = kind.field(index).type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return str(field.name)
    for name in NAMES:
        if (index := schema.get_field_index(name)) >= 0 and _is_text(schema.field(index).type):
            return name
    raise NotThere(f"no column of pictures: neither bytes nor one of {', '.join(NAMES)}")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _cell(row: int, value: Any) -> Cell:
    if isinstance(value, dict):
        data, path = value["bytes"], value.get("path")
        return Cell(row, data, path if data is None and isinstance(path, str) else None)
    if isinstance(value, str):
        return Cell(row, None, value)
    return Cell(row, value, None)
