"""The data service as rows: who is party to it, tables and their labels, persons shown, the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from baygrid.core.data.chain import End, Link
from baygrid.core.data.labels import Labels
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import CountRow, ExporterRow
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


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for in the audit; what is empty fits all. `kind`: or how it begins. `by`: whose act it
    was. `about`: the project, the contract, or any other name in it. In [since, until)."""

    kind: str = ""
    by: str = ""
    about: str = ""
    since: Instant | None = None
    until: Instant | None = None


class Audit(Protocol):
    """One chain. What a transaction appends becomes links when all else of it is done, just before it
    commits: whoever makes links holds the chain's end until then. It does not see its own."""

    def append(
        self, at: Instant, kind: str, data: Mapping[str, Any], *, contract: str | None, project: str | None
    ) -> None: ...

    def after(self, n: int, limit: int, *, contract: str | None = None) -> list[AuditRow]:
        """Links beyond `n`, in order."""
        ...

    def newest(
        self,
        before: int | None,
        limit: int,
        *,
        project: str | None = None,
        contract: str | None = None,
        sought: Sought | None = None,
    ) -> list[AuditRow]:
        """Newest first, before link `before`. `project`: only its own, and those of contracts of which it is
        a side."""
        ...

    def own(self, after: int, until: int, project: str) -> set[int]:
        """The numbers of those of a project, as in `newest`, beyond `after` and up to `until`."""
        ...

    def end(self) -> End:
        """`chain.START` while there is no link."""
        ...


class Persons(Protocol):
    """Which persons an exporter has shown, as hashes of 16 bytes: exactly, nobody twice."""

    def lock(self, exporter: str) -> ExporterRow | None:
        """Until the transaction ends nobody else changes whose persons count; None: there is none yet."""
        ...

    def exporters(self) -> list[ExporterRow]:
        """By organisation."""
        ...

    def reseal(self, organisation: str, key: str) -> None:
        """The same key of its persons' hashes, sealed anew."""
        ...

    def insert_exporter(self, row: ExporterRow) -> None:
        """Raises Conflict when somebody made it meanwhile."""
        ...

    def exporter(self, organisation: str) -> ExporterRow | None: ...

    def expose(self, grant: str, sensitive: bool, persons: bytes) -> int:
        """Those that a grant lets be read, 16 bytes each; once more is fine, and tells anew whether something
        sensitive is shown. They count once the grant is opened and its contract counts. How many were
        new."""
        ...

    def observe(self, grant: str, year: int) -> int:
        """That all whom the grant lets be read were served in that year. How many were new."""
        ...

    def forget(self, grant: str) -> None:
        """Of a grant that was never opened."""
        ...

    def counted(self, exporter: str, since: Instant) -> list[str]:
        """The grants whose persons count: readable at any time since then."""
        ...

    def counts(self, grants: Sequence[str]) -> tuple[int, int]:
        """Distinct persons of these grants: those of whom nothing sensitive is shown, and those of whom
        something is."""
        ...

    def observed(self, exporter: str, year: int) -> tuple[int, int]:
        """Distinct persons that were served in that year."""
        ...

    def bump(self, exporter: str) -> int:
        """Other persons count from now on; the new version. Only what has `lock` calls it."""
        ...

    def insert_count(self, row: CountRow) -> None:
        """Once more is fine."""
        ...

    def history(self, exporter: str, since: Instant) -> list[CountRow]:
        """What was counted since that moment, the oldest first."""
        ...
