"""Tables as they are read, wherever they are: their columns, rows behind a contract's terms, persons, SQL.

Whatever is read here runs in a process of its own, with bounds of memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from baygrid.core.data.labels import Labels
from baygrid.core.data.terms import Terms


@dataclass(frozen=True, slots=True)
class Column:
    """`type` as Arrow writes it."""

    name: str
    type: str
    nullable: bool = True


class Format(StrEnum):
    PARQUET = "parquet"
    DELTA = "delta"
    CSV = "csv"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Source:
    """`uri`: `s3://BUCKET/PREFIX`, `file:///PATH` below a root that the operator allows, `blob:SHA256`, or
    `postgresql://HOST:PORT/DATABASE` with `table` as "schema.name". `secrets`: opened values that it needs
    (`key`, `secret`, `endpoint`, `region` of S3; `user`, `password` of PostgreSQL); never in a message.
    `columns`: of CSV, as the first look found them; they keep their types. None: this is the first look."""

    format: Format
    uri: str
    table: str = ""
    secrets: Mapping[str, str] | None = None
    columns: tuple[Column, ...] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """`version`: Delta's; of the others 0. `fingerprint`: another one when the content may have changed.
    `rows` None: only a scan would tell."""

    columns: tuple[Column, ...]
    version: int
    fingerprint: str
    rows: int | None
    delta: Mapping[str, Any] | None = None
    """Of a Delta table: partition columns, configuration, whether its change feed is on, protocol, when each
    version was made."""


@dataclass(frozen=True, slots=True)
class File:
    """A Parquet file that was written: rows after filter and masks. `stats` as Delta's protocol has them."""

    path: Path
    size: int
    rows: int
    sha256: str
    stats: Mapping[str, Any]
    version: int
    change: str = ""
    """Of a change feed: "went" or "came". The file's own rows say how (`_change_type`)."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a table begins: its first columns, some rows of them, then rows of a few columns only. `count`: so
    many it says that it has."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    count: int


Name = tuple[str, ...]
"""Of a table in a query, in lower case: (table), (schema, table) or (share, schema, table)."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A table as somebody may query it. `subject`: its column that tells persons apart; `impersonal`: columns
    that say nothing of any person; both matter where it is shared for figures only. `fingerprint`: only with
    this content, "": as it is."""

    source: Source
    terms: Terms
    salt: bytes
    subject: str | None = None
    impersonal: frozenset[str] = frozenset()
    fingerprint: str = ""


class Asker(Protocol):
    """On whose behalf a query runs."""

    def tables(self, names: Sequence[Name]) -> Mapping[Name, Shared]:
        """What these are for who asks, before anything is read; called once. What it raises ends the
        query."""
        ...

    def waits(self) -> bool:
        """Whether anybody still wants the answer; asked often, from whatever thread."""
        ...

    def goes(self, size: int) -> None:
        """Before each so many bytes of the answer go out. What it raises ends the query: they do not."""
        ...

    def answered(self, rows: int, withheld: int | None) -> None:
        """How many rows went out, also where the stream broke off; how many groups of too few persons were
        withheld, None where that is not known."""
        ...


class ReadFailed(Exception):
    """The source cannot be read; the message says what of it, without a secret."""


class Busy(ReadFailed):
    """Too much is read at once; a moment later it may be possible."""


class BadExpression(ValueError):
    """A filter, a mask or a query that is not allowed; the message says which part and why."""


class Reader(Protocol):
    """`salt`: of the contract, for masks that hash; `key`: of the exporter, for persons."""

    def look(self, source: Source, version: int | None = None) -> Look:
        """`version`: of a Delta table, None: as it is now. Raises ReadFailed."""
        ...

    def check(self, columns: Sequence[Column], terms: Terms) -> tuple[Column, ...]:
        """The columns that are seen. Raises BadExpression."""
        ...

    def profile(self, source: Source, columns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Of these columns: rows, nulls, distinct values (about), least and greatest; counts below three are
        None. Whoever asks shows a least and a greatest only of what a person has labelled not personal."""
        ...

    def propose(self, source: Source) -> Mapping[str, tuple[Labels, str]]:
        """By column: what it may be in law, and why. A proposal, never a label."""
        ...

    def persons(
        self, source: Source, terms: Terms, subject: str, key: bytes, version: int | None = None
    ) -> Iterator[bytes]:
        """16 bytes for each distinct person that the terms show of that version (None: as it is now), many at
        once (a multiple of 16 bytes)."""
        ...

    def folder(self) -> AbstractContextManager[Path]:
        """For files that `write` and `changes` make: empty, nobody else's, gone when it is left or when its
        server was killed."""
        ...

    def write(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, version: int | None
    ) -> Sequence[File]:
        """What the terms show of that version (None: as it is now). Raises ReadFailed, BadExpression."""
        ...

    def changes(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, first: int, last: int
    ) -> Sequence[File]:
        """Rows that were inserted, deleted and updated, as the terms show them: one that leaves the filter is
        deleted, one that enters it is inserted. Raises ReadFailed."""
        ...

    def head(self, data: bytes, also: Sequence[str]) -> Head:
        """Of a Parquet file that is at hand, whoever made it. `also`: columns of which many rows are told, if
        it has them. Raises ReadFailed."""
        ...

    def query(self, sql: str, rows: int, asker: Asker) -> Iterator[bytes]:
        """An Arrow IPC stream of at most so many rows; its last batch, an empty one, says in its metadata
        under "baygrid" `rows`, `more` and `withheld`, as JSON. Raises BadExpression, ReadFailed, what `asker`
        raises: most of that before the first bytes."""
        ...
