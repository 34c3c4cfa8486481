"""What runs in the child process: each function reads one source, and tells what it found as JSON values or
as bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import File, Source
from baygrid.sharing.engine import Bounds, connect
from baygrid.sharing.formats.opened import opened
from baygrid.sharing.formats.table import Table, relation
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.shown import shown
from baygrid.sharing.writing import Into, write


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how a reading works: `scratch` is a folder in which it makes one of its own."""

    scratch: Path
    allowed: Allowed
    bounds: Bounds


def look(bench: Bench, source: Source, version: int | None) -> dict[str, Any]:
    with _folder(bench) as folder, opened(source, bench.allowed, folder / "source", version) as table:
        return asdict(table.look)


def rows(
    bench: Bench, source: Source, terms: Terms, salt: bytes, into: Path, version: int | None
) -> list[dict[str, Any]]:
    with _folder(bench) as folder, opened(source, bench.allowed, folder / "source", version) as table:
        part = shown(table.look.columns, terms, salt)
        with connect(bench.bounds, folder, into) as database:
            raw = registered(database, table, part.needed)
            written = write(database, part.select(raw), part.columns, Into(into, "part", table.look.version))
    return [told(each) for each in written]


def registered(database: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[str]) -> str:
    """SQL for the table's rows, to be read once."""
    batches = table.batches(columns)
    database.register("raw", batches)
    return relation(batches.schema, table.look.columns, "raw")


def told(file: File) -> dict[str, Any]:
    return asdict(file) | {"path": file.path.name}


@contextmanager
def _folder(bench: Bench) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=bench.scratch, prefix="reading-") as folder:
        yield Path(folder)
