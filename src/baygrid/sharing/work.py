"""What runs in the child process: each function reads one source, and tells what it found as JSON values or
as bytes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Column, File, ReadFailed, Source
from baygrid.sharing import changing, counting, profiling
from baygrid.sharing.engine import Bounds, OutOfRoom, connect
from baygrid.sharing.engine import told as failing
from baygrid.sharing.formats.delta import Delta
from baygrid.sharing.formats.feed import CHANGE, Feed
from baygrid.sharing.formats.opened import opened
from baygrid.sharing.formats.table import Table, relation
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.proposing.proposal import proposed
from baygrid.sharing.shown import Shown, shown
from baygrid.sharing.writing import Into, write

_PREFIX: Final = "reading-"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how a reading works: `scratch` is a folder in which it makes one of its own."""

    scratch: Path
    allowed: Allowed
    bounds: Bounds


def look(bench: Bench, source: Source, version: int | None) -> dict[str, Any]:
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source", version) as table:
        return asdict(table.look)


def rows(
    bench: Bench, source: Source, terms: Terms, salt: bytes, into: Path, version: int | None
) -> list[dict[str, Any]]:
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source", version) as table:
        part = shown(table.look.columns, terms, salt)
        try:
            written = _written(bench.bounds, folder, table, part, into)
        except OutOfRoom:  # rows of 100 KB and more
            written = _written(replace(bench.bounds, threads=1), folder, table, part, into)
    return [told(each) for each in written]


def _written(bounds: Bounds, folder: Path, table: Table, part: Shown, into: Path) -> list[File]:
    with connect(bounds, folder, into) as database:
        raw = registered(database, table, part.needed)
        return write(database, part.select(raw), part.columns, Into(into, "part", table.look.version))


def changes(
    bench: Bench, source: Source, terms: Terms, salt: bytes, into: Path, first: int, last: int
) -> list[dict[str, Any]]:
    """One version after the other; their files are named for it."""
    found: list[File] = []
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source", last) as table:
        if not isinstance(table, Delta):
            raise ReadFailed("only a Delta table tells its changes")
        feed = Feed(table, first)
        part = shown(table.look.columns, terms, salt)
        with connect(bench.bounds, folder, into) as database:
            for version in range(first, last + 1):
                found += _changes(database, feed, part, table.look.columns, into, version)
    return [told(each) for each in found]


def _changes(
    database: duckdb.DuckDBPyConnection,
    feed: Feed,
    part: Shown,
    columns: Sequence[Column],
    folder: Path,
    version: int,
) -> list[File]:
    """Rows that went and rows that came, in files apart."""
    batches = feed.batches(version, [each.name for each in columns])
    if batches is None:
        return []
    with failing():
        database.register("raw", batches)
        changing.load(database, relation(batches.schema, [*columns, changing.KIND], "raw"), part)
        sql = changing.select(database, part, columns)
        database.execute(f"CREATE OR REPLACE TEMP TABLE images AS {sql}")
        found = []
        for change, kinds in (("went", changing.WENT), ("came", changing.CAME)):
            some = f"SELECT * FROM images WHERE {CHANGE} IN {kinds}"  # noqa: S608 - constants
            into = Into(folder, f"changes-{version:020}-{change}", version, change)
            found += write(database, some, [*part.columns, changing.KIND], into)
        return found


def persons(
    bench: Bench, source: Source, terms: Terms, subject: str, key: bytes, version: int | None
) -> Iterator[bytes]:
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source", version) as table:
        count = counting.Count(table, source, terms, subject, key)
        with connect(bench.bounds, folder) as database, failing():
            yield from count.known(database)
        if count.some_unknown:
            with connect(bench.bounds, folder) as database, failing():
                yield from count.unknown(database)


def profile(bench: Bench, source: Source, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source") as table:
        chosen = [each for each in table.look.columns if each.name in columns]
        with connect(bench.bounds, folder) as database, failing():
            raw = registered(database, table, [each.name for each in chosen])
            return profiling.figures(database, raw, chosen)


def propose(bench: Bench, source: Source) -> dict[str, dict[str, Any]]:
    with folder_of(bench) as folder, opened(source, bench.allowed, folder / "source") as table:
        columns = table.look.columns
        with connect(bench.bounds, folder) as database, failing():
            raw = registered(database, table, [each.name for each in columns])
            samples = profiling.samples(database, raw, columns)
    return {
        name: {"labels": labels.to_json(), "why": why} for name, (labels, why) in proposed(samples).items()
    }


def registered(database: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[str]) -> str:
    """SQL for the table's rows, to be read once."""
    batches = table.batches(columns)
    database.register("raw", batches)
    return relation(batches.schema, table.look.columns, "raw")


def told(file: File) -> dict[str, Any]:
    return asdict(file) | {"path": file.path.name}


def sweep(scratch: Path) -> None:
    """Removes what readings left that were killed with their server."""
    for left in scratch.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def bench_of(bench: Bench) -> Iterator[Bench]:
    """With a folder for one process alone, gone when that is, however it ended."""
    with folder_of(bench) as folder:
        yield replace(bench, scratch=folder)


@contextmanager
def folder_of(bench: Bench) -> Iterator[Path]:
    """One of its own, gone when it is left."""
    with tempfile.TemporaryDirectory(dir=bench.scratch, prefix=_PREFIX) as folder:
        yield Path(folder)
