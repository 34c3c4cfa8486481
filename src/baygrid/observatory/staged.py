"""Rows of an import on their way in: on disk, so that a registry of any size is reviewed in the same
memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from baygrid.core.region.rows import COLUMNS, Finding

T = TypeVar("T")
CHUNK: Final = 2_000
"""So many rows, bodies or figures are in memory at once."""
_TABLES: Final = """
CREATE TABLE rows (body TEXT, kind INTEGER, line INTEGER, cells TEXT);
CREATE TABLE made (body TEXT PRIMARY KEY, state TEXT, kept TEXT) WITHOUT ROWID;
CREATE TABLE marks (mark TEXT, body TEXT, line INTEGER, fresh INTEGER, said TEXT);
CREATE TABLE figures (key TEXT, body TEXT, line INTEGER, state TEXT, kept TEXT);
CREATE TABLE findings (
  kind INTEGER, line INTEGER, body TEXT, code TEXT, message TEXT, keepable INTEGER, stays INTEGER);
"""
KINDS: Final = (*COLUMNS, "zones")
"""What a row or finding is of, by its place here: below 3 of a body, 3 a figure."""


class Cells(NamedTuple):
    """One row as it was given."""

    table: str
    line: int
    cells: dict[str, str]


class Mark(NamedTuple):
    """Two bodies with the same `mark` may be one. `line` 0: it is registered already; `fresh`: the
    registry does not have it; `said`: how a person knows it."""

    mark: str
    body: str
    line: int
    fresh: bool
    said: str


class Pair(NamedTuple):
    """Two bodies that have a mark in common."""

    mark: str
    body: str
    line: int
    said: str
    other: str
    other_line: int
    other_said: str


class Staged:
    """A scratch database in a file of its own, gone at the end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="baygrid-import-")
        self._db = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; {_TABLES}")

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def put_rows(self, table: str, rows: Iterable[tuple[int, str, dict[str, str]]]) -> None:
        """(line, body, cells) each."""
        kind = KINDS.index(table)
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?)",
            ((body, kind, line, orjson.dumps(cells)) for line, body, cells in rows),
        )

    def bodies(self) -> Iterator[list[tuple[str, list[Cells]]]]:
        """Each body that rows speak of, by id, with its rows, but returns."""
        self._db.execute("CREATE INDEX rows_by_body ON rows (body, kind, line)")
        found = self._db.execute(
            "SELECT body, kind, line, cells FROM rows WHERE kind < 3 ORDER BY body, kind, line"
        )
        return chunks(
            (
                (body, [Cells(KINDS[kind], line, orjson.loads(cells)) for _, kind, line, cells in rows])
                for body, rows in groupby(found, key=itemgetter(0))
            ),
            CHUNK,
        )

    def returns(self) -> Iterator[list[tuple[int, dict[str, str]]]]:
        """(line, cells) each, in the order of the file."""
        found = self._db.execute("SELECT line, cells FROM rows WHERE kind = 3 ORDER BY line")
        return chunks(((line, orjson.loads(cells)) for line, cells in found), CHUNK)

    def put_made(self, rows: Sequence[tuple[str, str, Any]]) -> None:
        """(body, state, what is kept of it) each."""
        self._db.executemany(
            "INSERT INTO made VALUES (?, ?, ?)", [(b, s, orjson.dumps(k)) for b, s, k in rows]
        )

    def made(self, state: str) -> Iterator[list[tuple[str, Any]]]:
        """(body, what is kept) of those in a state."""
        found = self._db.execute("SELECT body, kept FROM made WHERE state = ? ORDER BY body", (state,))
        return chunks(((body, orjson.loads(kept)) for body, kept in found), CHUNK)

    def states(self, bodies: Sequence[str]) -> dict[str, str]:
        marks = ", ".join("?" * len(bodies))
        found = self._db.execute(f"SELECT body, state FROM made WHERE body IN ({marks})", bodies)  # noqa: S608
        return dict(found.fetchall())

    def mark(self, rows: Iterable[Mark]) -> None:
        self._db.executemany("INSERT INTO marks VALUES (?, ?, ?, ?, ?)", rows)

    def same(self) -> Iterator[Pair]:
        """Of fresh marks that another has, too; once for each pair, of the later line."""
        self._db.execute("CREATE INDEX marks_by_mark ON marks (mark)")
        found = self._db.execute(
            "SELECT a.mark, a.body, a.line, a.said, b.body, b.line, b.said FROM marks a JOIN marks b"
            " ON a.mark = b.mark AND a.body <> b.body WHERE a.fresh = 1"
            " AND (b.fresh = 0 OR b.line < a.line) GROUP BY a.body, b.body, substr(a.mark, 1, 4)"
            " ORDER BY a.line, b.line, a.mark"
        )
        return map(Pair._make, found)

    def put_figures(self, rows: Sequence[tuple[str, str, int, str, Any]]) -> None:
        """(key, body, line, state, what is kept) each."""
        self._db.executemany(
            "INSERT INTO figures VALUES (?, ?, ?, ?, ?)", [(*row[:4], orjson.dumps(row[4])) for row in rows]
        )

    def twice(self) -> Iterator[tuple[str, int, int, Any, Any]]:
        """(body, line, line of the first, kept, kept of the first) of figures whose key came before."""
        self._db.execute("CREATE INDEX figures_by_key ON figures (key, line)")
        found = self._db.execute(
            "SELECT b.body, b.line, a.line, b.kept, a.kept FROM figures b JOIN figures a ON a.key = b.key"
            " AND a.line = (SELECT min(line) FROM figures WHERE key = b.key) AND b.line > a.line"
            " ORDER BY b.line"
        )
        return ((body, line, first, orjson.loads(k), orjson.loads(f)) for body, line, first, k, f in found)

    def figures(self) -> Iterator[list[Any]]:
        """What is kept of those that are new, the first of each key."""
        found = self._db.execute(
            "SELECT kept, min(line) FROM figures WHERE state = 'new' GROUP BY key ORDER BY key"
        )
        return chunks((orjson.loads(kept) for kept, _ in found), CHUNK)

    def found(self, findings: Iterable[Finding]) -> None:
        self._db.executemany(
            "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, 0)",
            [(KINDS.index(it.table), it.line, it.body, it.code, it.message, it.keepable) for it in findings],
        )

    def findings(self, most: int) -> list[Finding]:
        found = self._db.execute(
            "SELECT kind, line, body, code, message, keepable FROM findings"
            " ORDER BY kind, line, code, message"
            " LIMIT ?",
            (most,),
        )
        return [
            Finding(KINDS[kind], line, body, code, message, bool(keepable))
            for kind, line, body, code, message, keepable in found
        ]

    def how_many_findings(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM findings").fetchone()[0])

    def keep(self, kept: Iterable[Finding]) -> None:
        """A person says that these are right as they are."""
        self._db.executemany(
            "UPDATE findings SET stays = 1"
            " WHERE kind = ? AND line = ? AND body = ? AND code = ? AND keepable = 1",
            [(KINDS.index(it.table), it.line, it.body, it.code) for it in kept],
        )

    def hold_back(self) -> None:
        """Bodies and figures of which a finding stands do not go in, nor figures of such bodies."""
        held = (
            "UPDATE {} SET state = 'held' WHERE {} IN (SELECT {} FROM findings WHERE kind {} AND stays = 0)"
        )
        self._db.execute(held.format("made", "body", "body", "< 3"))
        self._db.execute(held.format("figures", "line", "line", "= 3"))
        self._db.execute(
            "UPDATE figures SET state = 'held' WHERE state = 'new'"
            " AND body IN (SELECT body FROM made WHERE state = 'held')"
        )

    def counts(self, table: str) -> dict[str, int]:
        """How many of `made` or `figures` are in which state."""
        return dict(self._db.execute(f"SELECT state, count(*) FROM {table} GROUP BY state").fetchall())  # noqa: S608


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    it = iter(values)
    while some := list(islice(it, size)):
        yield some
