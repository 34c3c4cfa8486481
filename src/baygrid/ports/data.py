"""The data service as rows: who is party to it, tables and their labels, persons shown, the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from baygrid.core.data.chain import End, Link
from baygrid.core.data.labels import Labels
from baygrid.ports.basics import Instant
from baygrid.ports.reader import Column, Format


@dataclass(frozen=True, slots=True)
class PartyRow:
    """What an operator has verified of an organisation; a new version for each change. `facts` has the names
    that the rulebooks ask for (`jurisdiction`, `city`, `registered_in_gba9`, `ciio`, ...); `pilot`, where it
    is a pilot institution: its Hong Kong `parent`, `registered` in Qianhai, `scope`, `from`, `until`."""

    organisation: str
    version: int
    facts: Mapping[str, Any]
    pilot: Mapping[str, Any] | None
    made_at: Instant
    made_by: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table in the catalogue, as (project, name); a new version for each change of what is said of it.
    `place`: where it lies, a jurisdiction; `labels` by column, None: proposed to nobody yet confirmed.
    `open`: whoever asks may have it, as far as the law lets it. `secret`: a secret of the project's that its
    source needs."""

    project: str
    name: str
    version: int
    title: str
    place: str
    format: Format
    uri: str
    table: str
    secret: str | None
    columns: tuple[Column, ...]
    labels: Mapping[str, Labels]
    confirmed_by: str | None
    open: bool
    made_at: Instant
    made_by: str

    @property
    def ref(self) -> str:
        return f"{self.project}/{self.name}"


AuditRow: TypeAlias = Link
"""One link of the audit."""


@dataclass(frozen=True, slots=True)
class WishRow:
    """Data that somebody looked for and did not find: `times` asked for, by so many `projects`; `text` as one
    of them wrote it."""

    text: str
    times: int
    projects: int
    first_at: Instant
    last_at: Instant


class Catalogue(Protocol):
    """Parties, tables, and what somebody looked for and did not find."""

    def insert_party(self, row: PartyRow) -> None:
        """Raises Exists."""
        ...

    def party(self, organisation: str) -> PartyRow | None:
        """The newest version."""
        ...

    def parties(self) -> list[PartyRow]:
        """The newest version of each, by name."""
        ...

    def insert_table(self, row: TableRow) -> None:
        """Raises Exists when somebody made this version meanwhile."""
        ...

    def table(self, project: str, name: str) -> TableRow | None:
        """The newest version."""
        ...

    def tables(self, projects: Sequence[str] | None = None) -> list[TableRow]:
        """The newest version of each, by project and name; None: of all projects."""
        ...

    def wish(self, key: str, text: str, project: str, at: Instant) -> None:
        """Counts one more wish; those with the same `key` are one."""
        ...

    def wishes(self) -> list[WishRow]:
        """Most wished for first."""
        ...


class Audit(Protocol):
    """One chain. Links are appended one after the other: whoever appends holds the chain's end until its
    transaction ends, so it is the last thing that a transaction does."""

    def append(
        self, at: Instant, kind: str, data: Mapping[str, Any], *, contract: str | None, project: str | None
    ) -> AuditRow: ...

    def after(self, n: int, limit: int, *, contract: str | None = None) -> list[AuditRow]:
        """Links beyond `n`, in order."""
        ...

    def of(self, n: int, limit: int, project: str, contracts: Sequence[str]) -> list[AuditRow]:
        """Links beyond `n` of that project or one of these contracts, in order."""
        ...

    def end(self) -> End:
        """`chain.START` while there is no link."""
        ...


class Persons(Protocol):
    """Which persons an exporter has shown, as hashes of 16 bytes: exactly, nobody twice."""

    def expose(self, exporter: str, grant: str, sensitive: bool, persons: Iterable[bytes]) -> None:
        """Those that a grant lets be read; once more is fine. They count once the grant is `counted`."""
        ...

    def counts(self, exporter: str, grants: Sequence[str], more: str | None = None) -> tuple[int, int]:
        """Distinct persons of these grants (and of `more`): those of whom nothing sensitive is shown, and
        those of whom something is."""
        ...
