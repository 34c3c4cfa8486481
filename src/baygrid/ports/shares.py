"""Shared tables as files: what was made of a table for one grant, once, and served from the object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from baygrid.ports.basics import Instant
from baygrid.ports.reader import Column


class Kind(StrEnum):
    """ALL: the rows of one version. CHANGES: what came with one version, row by row."""

    ALL = "all"
    CHANGES = "changes"


class State(StrEnum):
    """WANTED -> READY or FAILED; FAILED -> WANTED when somebody asks again. DROPPED: nobody finds it, its
    files go. GONE: they are gone; what is left says which number was the last."""

    WANTED = "WANTED"
    READY = "READY"
    FAILED = "FAILED"
    DROPPED = "DROPPED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is one of: a version of a table as `terms` (a digest) show it to `grant`. `lineage`: the
    Delta table's own id; other tables have none, and their versions are counted here, by `fingerprint`.
    `version`: Delta's own."""

    grant: str
    kind: Kind
    terms: str
    lineage: str
    fingerprint: str
    version: int | None


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """`number`: the version as readers know it. `at`: when that version was made, or first seen here.
    `said`: why it failed, for the provider. `holder` makes it until `until`. `used_at`: it was last
    asked for; `served_at`: its files were handed out (0: never); `observed_at`: whom it shows was noted as
    served."""

    id: str
    wanted: Wanted
    number: int
    columns: tuple[Column, ...]
    state: State
    at: Instant
    changed_at: Instant
    used_at: Instant
    served_at: Instant
    observed_at: Instant
    said: str
    holder: str
    until: Instant


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A Parquet file in the object store, the `n`-th of its snapshot. `persons`: how many it shows, None:
    they are not counted."""

    id: str
    snapshot: str
    n: int
    sha256: str
    size: int
    rows: int
    stats: Mapping[str, Any]
    change: str
    persons: int | None

    @property
    def key(self) -> str:
        return f"shares/{self.snapshot}/{self.sha256}"


class Shares(Protocol):
    """A snapshot is made by one maker at a time: who holds its lease."""

    def want(
        self, id: str, wanted: Wanted, columns: Sequence[Column], at: Instant, now: Instant
    ) -> SnapshotRow:
        """The row that there is; else a new one of this id, WANTED. One that was dropped is none. Raises
        Conflict when somebody wanted another version meanwhile."""
        ...

    def again(self, id: str, now: Instant) -> bool:
        """A FAILED one is WANTED again. False when it is not FAILED."""
        ...

    def any_wanted(self) -> bool:
        """Whether files are still to be made, by whomever."""
        ...

    def claim(self, holder: str, now: Instant, until: Instant) -> SnapshotRow | None:
        """The one that is WANTED for longest and nobody makes; now this holder does, until then. It makes one
        at a time: what it has of before, and could not finish, is free."""
        ...

    def keep(self, holders: Sequence[str], until: Instant) -> None:
        """These go on with what they make."""
        ...

    def finish(
        self, id: str, holder: str, now: Instant, files: Sequence[SharedFile], said: str | None = None
    ) -> bool:
        """READY with these files, or FAILED with what is `said`. False: another one makes it now, or nobody
        wants it any more."""
        ...

    def get(self, id: str) -> SnapshotRow | None: ...

    def of_grant(self, grant: str) -> list[SnapshotRow]:
        """Those that were not dropped, by number."""
        ...

    def files(self, snapshots: Sequence[str]) -> list[SharedFile]:
        """By snapshot and n."""
        ...

    def file(self, id: str) -> tuple[SharedFile, SnapshotRow] | None: ...

    def use(self, snapshots: Sequence[str], now: Instant) -> None:
        """They are not idle."""
        ...

    def serve(self, snapshots: Sequence[str], now: Instant) -> None:
        """Their files are handed out now."""
        ...

    def unobserved(self, since: Instant, limit: int) -> list[SnapshotRow]:
        """Those that were handed out since then and not observed since then."""
        ...

    def observed(self, id: str, now: Instant) -> None: ...

    def idle(self, before: Instant, limit: int) -> list[SnapshotRow]:
        """READY or FAILED ones that were last used, and changed, before that; oldest use first."""
        ...

    def drop(self, id: str, now: Instant) -> None:
        """Whatever its state: nobody finds it any more."""
        ...

    def dropped(self, before: Instant, limit: int) -> list[SnapshotRow]:
        """Those that were dropped before that; their files are still known."""
        ...

    def forget(self, id: str) -> None:
        """The files of one that was dropped are gone. A version's number still never comes back."""
        ...
