"""The files that answer a question about a shared table, once they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.app import grants
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.app.shared_tables import Known, columns_of, history, ready, version_of, want
from baygrid.core.data.hints import chosen, wanted
from baygrid.core.data.history import OutOfHistory, Version, window
from baygrid.ports.basics import Instant
from baygrid.ports.reader import Column
from baygrid.ports.shares import Kind, SharedFile, SnapshotRow

MOST_VERSIONS: Final = 1_000
"""Of a change feed in one question."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What of a version the reader is after, best effort."""

    predicates: tuple[str, ...] = ()
    json_predicate: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A file, with the version that it belongs to and when that was made."""

    file: SharedFile
    number: int
    at: Instant


@dataclass(frozen=True, slots=True)
class Delivery:
    """`version`: of the table, or the first of its changes. `snapshots`: what the files are of."""

    version: int
    columns: tuple[Column, ...]
    snapshots: tuple[str, ...]
    parts: tuple[Part, ...]


def rows_of(
    platform: Platform, it: Known, number: int | None, at: Instant | None, hints: Hints
) -> Delivery | None:
    """The rows of a version (neither number nor time: of the newest); None while its files are made. Raises
    Invalid, Away."""
    version = version_of(platform, it, number, at)
    asked = it.wanted(Kind.ALL, version.number if it.delta else None)
    [row] = want(platform, it, [asked], columns_of(platform, it, version.number))
    return again(platform, it, [row.id], hints)


def changes_of(platform: Platform, it: Known, first: Version, last: int | None) -> Delivery | None:
    """What changed from one version to another, both included; None while files are made. Raises Invalid,
    Away."""
    if not it.changes:
        raise Invalid.at("startingVersion", "the change data feed of this table is not on: read its rows")
    try:
        start, end = window(history(platform, it), first, last)
    except OutOfHistory as error:
        raise Invalid.at("endingVersion", str(error)) from None
    if end - start >= MOST_VERSIONS:
        raise Invalid.at("endingVersion", f"ask for at most {MOST_VERSIONS} versions at once")
    asked = [it.wanted(Kind.CHANGES, number) for number in range(start, end + 1)]
    rows = want(platform, it, asked, it.columns)
    return again(platform, it, [row.id for row in rows], Hints())


def again(platform: Platform, it: Known, snapshots: Sequence[str], hints: Hints) -> Delivery | None:
    """The files of snapshots that were wanted before. Raises Invalid where they are gone or not this
    grant's."""
    found = ready(platform, it, snapshots)
    if found is None:
        return None
    first = found[0][0]
    types = {column.name: column.type for column in first.columns}
    predicate = wanted(hints.predicates, hints.json_predicate, types)
    parts = [part for row, files in found for part in _parts(row, files)]
    kept = chosen(parts, lambda part: part.file.stats, types, predicate, hints.limit)
    return Delivery(first.number, first.columns, tuple(snapshots), tuple(kept))


def served(platform: Platform, it: Known, delivery: Delivery, parts: Sequence[Part]) -> None:
    """Notes that the addresses of these files are handed out."""
    now = platform.clock()
    platform.store.write(lambda tx: tx.shares.serve(list(delivery.snapshots), now))
    data = {"version": delivery.version, "files": len(parts), "rows": sum(part.file.rows for part in parts)}
    grants.served(platform, it.permit, "table-delivered", data)


def _parts(row: SnapshotRow, files: Sequence[SharedFile]) -> list[Part]:
    return [Part(file, row.number, row.at) for file in files]
