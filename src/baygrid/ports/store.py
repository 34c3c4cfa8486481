"""The store: transactions over records. One implementation on SQLite and PostgreSQL, one behaviour suite on
both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from baygrid.ports.accounts import Accounts
from baygrid.ports.basics import Instant
from baygrid.ports.bottlenecks import Bottlenecks
from baygrid.ports.contracts import Contracts, Recipients
from baygrid.ports.data import Audit, Catalogue, Persons
from baygrid.ports.identity import Entries, Users
from baygrid.ports.jobs import Arrays, Attempts, Jobs, Logs
from baygrid.ports.money import Money
from baygrid.ports.notices import Notices
from baygrid.ports.own_schedulers import Estimates, OutsideJobs
from baygrid.ports.papers import Papers
from baygrid.ports.records import Cursor, DatasetRecord, Event, SecretRecord, StoredAnswer
from baygrid.ports.region import Exchange, Policies, Ratings, Region
from baygrid.ports.registry import Registry
from baygrid.ports.shares import Shares
from baygrid.ports.support import Support
from baygrid.ports.trading import Trading

T = TypeVar("T")


class Conflict(Exception):
    """Something read in this transaction has changed since: the store runs the whole function again."""


class Exists(Exception):
    """A row with this name is already there."""


class Away(Exception):
    """The store cannot be asked just now. Of a write nobody knows whether it is done."""


class Events(Protocol):
    def append(self, events: Sequence[Event]) -> None: ...

    def after(
        self,
        cursor: Cursor,
        limit: int,
        *,
        project: str | None = None,
        job: str | None = None,
    ) -> list[tuple[Cursor, Event]]:
        """In stream order. On PostgreSQL only rows below the snapshot's xmin, so that none can appear later
        before a cursor that was handed out."""
        ...

    def end(self) -> Cursor:
        """Where the stream now ends."""
        ...


class Leadership(Protocol):
    """One row: who leads, in which term, until when. A term never comes back."""

    def campaign(self, holder: str, now: Instant, ttl_ms: int) -> int | None:
        """A new term if nobody's lease is running, else None. The holder's own running lease is renewed."""
        ...

    def fence(self, term: int, holder: str, now: Instant, ttl_ms: int) -> bool:
        """Renews and locks the row for this transaction; False when the term is not this holder's any
        more."""
        ...

    def resign(self, term: int, holder: str) -> None: ...

    def current(self) -> tuple[int, str, Instant]: ...


class Answers(Protocol):
    def find(self, project: str, key: str) -> StoredAnswer | None: ...

    def insert(self, row: StoredAnswer) -> None:
        """Raises Conflict when the key was taken meanwhile."""
        ...


class Datasets(Protocol):
    """Versions of datasets, by (project, name, version). None is ever changed or removed."""

    def insert(self, row: DatasetRecord) -> None:
        """Raises Exists when somebody made this version meanwhile."""
        ...

    def newest(self, project: str, name: str) -> DatasetRecord | None: ...

    def get(self, project: str, name: str, version: int) -> DatasetRecord | None: ...

    def versions(self, project: str, name: str) -> list[DatasetRecord]:
        """Oldest first."""
        ...

    def page(
        self, projects: Sequence[str] | None, after: tuple[str, str], limit: int, *, shared: bool
    ) -> list[DatasetRecord]:
        """The newest version of each of these projects (None: of all), and of others' that are `shared`; by
        project and name, beyond `after`."""
        ...


class Secrets(Protocol):
    """Sealed values by (project, name)."""

    def put(self, row: SecretRecord) -> None:
        """In the place of what was there. Raises Exists when somebody put one meanwhile."""
        ...

    def delete(self, project: str, name: str) -> bool:
        """False when there is none."""
        ...

    def of(self, project: str) -> list[SecretRecord]:
        """By name."""
        ...

    def sealed_otherwise(self, key: str) -> list[SecretRecord]:
        """Those that another key has sealed."""
        ...


class Tx(Protocol):
    """One transaction. Everything read and written in it holds together or not at all."""

    @property
    def jobs(self) -> Jobs: ...
    @property
    def arrays(self) -> Arrays: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def logs(self) -> Logs: ...
    @property
    def money(self) -> Money: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def support(self) -> Support: ...
    @property
    def trading(self) -> Trading: ...
    @property
    def region(self) -> Region: ...
    @property
    def events(self) -> Events: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def leadership(self) -> Leadership: ...
    @property
    def answers(self) -> Answers: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def datasets(self) -> Datasets: ...
    @property
    def bottlenecks(self) -> Bottlenecks: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def estimates(self) -> Estimates: ...
    @property
    def outside(self) -> OutsideJobs: ...
    @property
    def ratings(self) -> Ratings: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def papers(self) -> Papers: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def contracts(self) -> Contracts: ...
    @property
    def persons(self) -> Persons: ...
    @property
    def recipients(self) -> Recipients: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def users(self) -> Users: ...
    @property
    def entries(self) -> Entries: ...


class Store(Protocol):
    """`write` commits once, durably, before it returns; concurrent writes may share one commit (group
    commit). After each commit the listeners hear the topics that it touched, also those of other servers on
    the same PostgreSQL: `job:ID`, `project:NAME`, `centre:NAME` (desired changed), `log:ATTEMPT`, `tokens`
    (one was revoked, or what a user may do has changed), `shares` (files of a shared table are wanted, made
    or dropped) and `events`.
    """

    def write(self, work: Callable[[Tx], T]) -> T:
        """Runs `work`, again from the start on Conflict or a serialization failure, so it must have no
        other effects."""
        ...

    def read(self, work: Callable[[Tx], T]) -> T:
        """One snapshot."""
        ...

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> None:
        """The listener must return at once. The topic `*` means: anything may have changed."""
        ...

    def close(self) -> None: ...


def log_key(attempt: str, offset: int, size: int) -> str:
    """Where a stretch of log lies in the object store. Its size is part of the key: a slow first try must not
    overwrite a longer second one."""
    return f"logs/{attempt}/{offset:020d}-{size}"
