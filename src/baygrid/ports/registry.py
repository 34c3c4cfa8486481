"""The registry as rows: bodies as they are, what was done to them, returns, zones, imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from baygrid.core.region.bodies import Record, Return
from baygrid.ports.basics import Instant

REGISTRY: Final = "registry"
"""The topic of every commit that changes bodies, returns or zones."""


class Change(StrEnum):
    """What was done to a body."""

    IMPORT = "import"
    LABEL = "label"
    MERGE = "merge"
    """Another was merged into it."""
    MERGED = "merged"
    """It was merged into another."""
    UNMERGE = "unmerge"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class BodyRow:
    """A body as it is now; `version` counts its changes from 1. `keys`: of its names, by which another may be
    the same body. `text`: what is searched. `merged_into`: the body that it is part of now; `organisation`:
    which it is on the platform."""

    id: str
    version: int
    record: Record
    keys: tuple[str, ...]
    text: str
    merged_into: str | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change, with the body as it was after it; never altered. `by`: a token's id, or an import's.
    `person`: who answers for it, where somebody does."""

    body: str
    version: int
    change: Change
    at: Instant
    by: str
    person: str
    why: str
    data: Mapping[str, Any]
    record: Record


@dataclass(frozen=True, slots=True)
class Known:
    """A body as it was said to be at some moment. `into`: which it was part of then."""

    body: str
    record: Record
    into: str | None


@dataclass(frozen=True, slots=True)
class ZonesRow:
    """All zones at once, as GeoJSON; versions count from 1."""

    version: int
    document: Mapping[str, Any]
    at: Instant
    by: str


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`files`: their SHA-256 by name. `counts`: what came of it."""

    id: str
    at: Instant
    by: str
    files: Mapping[str, str]
    counts: Mapping[str, int]


class Registry(Protocol):
    """Bodies of the region. What was done to them, returns and zones are only ever added."""

    def insert_bodies(self, rows: Sequence[BodyRow]) -> None:
        """Raises Exists where an id or a code is taken."""
        ...

    def update_bodies(self, rows: Sequence[BodyRow]) -> None:
        """Each from the version before its own. Raises Conflict where one is of another version meanwhile."""
        ...

    def body(self, id: str) -> BodyRow | None: ...

    def some(self, ids: Sequence[str]) -> dict[str, BodyRow]: ...

    def bodies(self, after: str, limit: int, *, search: str = "") -> list[BodyRow]:
        """By id, beyond `after`; those that were merged into another, too. `search`: a part of their text."""
        ...

    def linked(self) -> list[BodyRow]:
        """Those that are an organisation of the platform, by id; none that was merged into another."""
        ...

    def log(self, rows: Sequence[ChangeRow]) -> None:
        """Raises Exists."""
        ...

    def changes(self, body: str) -> list[ChangeRow]:
        """Oldest first."""
        ...

    def known(self, before: Instant, after: str, limit: int) -> list[Known]:
        """What the log had at a moment, without what is of that moment: by id, beyond `after`."""
        ...

    def insert_returns(self, rows: Sequence[Return], now: Instant, by: str) -> None:
        """Raises Exists where there is a figure of this key."""
        ...

    def returns(self, after: str, limit: int) -> list[tuple[str, Return]]:
        """By their keys as text, beyond `after`."""
        ...

    def returns_of(self, keys: Sequence[str]) -> dict[str, Return]: ...

    def insert_zones(self, row: ZonesRow) -> None:
        """Raises Exists."""
        ...

    def zones(self) -> ZonesRow | None:
        """The newest."""
        ...

    def insert_import(self, row: ImportRow) -> None: ...

    def imports(self) -> list[ImportRow]:
        """Newest first."""
        ...


def return_key(it: Return) -> str:
    """What it is a figure of, as one text."""
    return "\x1f".join(it.key)
