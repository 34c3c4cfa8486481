"""The reader of tables: every reading is a process of its own (`process`), doing `work`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from baygrid.core.data.labels import Labels
from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Asker, Column, File, Head, Look, ReadFailed, Source
from baygrid.sharing import heads, work
from baygrid.sharing.engine import STANDARD, Bounds
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.process import Limits, call, stream
from baygrid.sharing.shown import shown
from baygrid.sharing.sql.queries import Queries

_LOOKS = 4
_LOOK_S, _TURN_S = 120.0, 30.0
_ROOM = 2 << 30
"""Bytes that a process needs beside what DuckDB may hold: libraries, Arrow's batches, files that it
writes."""


class Tables:
    """Implements `ports.reader.Reader`. Safe for several threads."""

    def __init__(self, scratch: Path, allowed: Allowed, bounds: Bounds = STANDARD) -> None:
        """`scratch`: a folder of this reader's alone, with room for what sorting needs beyond memory."""
        scratch.mkdir(parents=True, exist_ok=True)
        work.sweep(scratch)
        self._bench = work.Bench(scratch, allowed, bounds)
        self._limits = Limits(bounds.memory + _ROOM, bounds.seconds)
        self._hasty = Limits(self._limits.memory, min(bounds.seconds, _LOOK_S))
        self._waited = threading.BoundedSemaphore(_LOOKS)
        self._queries = Queries(self._bench)

    def look(self, source: Source, version: int | None = None) -> Look:
        found = self._soon(work.look, source, version)
        return Look(**found | {"columns": tuple(Column(**each) for each in found["columns"])})

    def check(self, columns: Sequence[Column], terms: Terms) -> tuple[Column, ...]:
        return shown(columns, terms, b"").columns

    def folder(self) -> AbstractContextManager[Path]:
        return work.folder_of(self._bench)

    def write(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, version: int | None
    ) -> Sequence[File]:
        folder.mkdir(parents=True, exist_ok=True)
        found = self._call(work.rows, source, terms, salt, folder, version)
        return [File(**each | {"path": folder / each["path"]}) for each in found]

    def changes(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, first: int, last: int
    ) -> Sequence[File]:
        folder.mkdir(parents=True, exist_ok=True)
        found = self._call(work.changes, source, terms, salt, folder, first, last)
        return [File(**each | {"path": folder / each["path"]}) for each in found]

    def profile(self, source: Source, columns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, dict[str, Any]] = self._soon(work.profile, source, list(columns))
        return found

    def propose(self, source: Source) -> Mapping[str, tuple[Labels, str]]:
        found = self._soon(work.propose, source)
        return {name: (Labels.of_json(each["labels"]), each["why"]) for name, each in found.items()}

    def persons(
        self, source: Source, terms: Terms, subject: str, key: bytes, version: int | None = None
    ) -> Iterator[bytes]:
        return self._stream(work.persons, source, terms, subject, key, version)

    def head(self, data: bytes, also: Sequence[str]) -> Head:
        return Head(**self._soon(heads.head, data, list(also)))

    def query(self, sql: str, rows: int, asker: Asker) -> Iterator[bytes]:
        return self._queries.query(sql, rows, asker)

    def _soon(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Somebody waits for it: few at a time, and not for long."""
        if not self._waited.acquire(timeout=_TURN_S):
            raise ReadFailed("too many tables are looked at just now: try again in a minute")
        try:
            with work.bench_of(self._bench) as bench:
                return call(self._hasty, function, bench, *arguments)
        finally:
            self._waited.release()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with work.bench_of(self._bench) as bench:
            return call(self._limits, function, bench, *arguments)

    def _stream(self, function: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        with work.bench_of(self._bench) as bench:
            yield from stream(self._limits, function, bench, *arguments)
