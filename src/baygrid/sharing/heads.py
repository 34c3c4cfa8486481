"""How a Parquet file begins that somebody's job made: only read in a process of its own, since a few bytes of
one may stand for any number of them, and what it says of its sizes need not be true."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from baygrid.ports.reader import Head, ReadFailed
from baygrid.sharing.work import Bench

COLUMNS: Final = 12
ROWS: Final = 20
ALSO: Final = 20_000
LONGEST: Final = 200


def head(_: Bench, data: bytes, also: Sequence[str]) -> dict[str, Any]:
    """The first `ROWS` rows of the first `COLUMNS`, and the first `ALSO` of those that are named. Raises
    ReadFailed."""
    try:
        file = ParquetFile(io.BytesIO(data))
        names = file.schema_arrow.names
        named = [name for name in also if name in names]
        some = _rows(file, list(dict.fromkeys([*names[:COLUMNS], *named])), ROWS)
        more = _rows(file, named, ALSO)[len(some) :] if named else []
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ReadFailed(f"it is no Parquet file: {str(error)[:LONGEST]}") from None
    return asdict(Head(names[:COLUMNS], some + more, file.metadata.num_rows))


def _rows(file: ParquetFile, names: Sequence[str], most: int) -> list[dict[str, Any]]:
    batch = next(file.iter_batches(batch_size=most, columns=names), None)
    found = [] if batch is None else batch.to_pylist()
    return [{name: _told(value) for name, value in row.items()} for row in found]


def _told(value: object) -> object:
    """As JSON has it."""
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:LONGEST]
