"""The store: transactions over records. One implementation on SQLite and PostgreSQL, one behaviour suite on
both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.postings import Transaction
from baygrid.core.pricing.tariff import Tariff
from baygrid.ports.basics import Instant
from baygrid.ports.messages import DriverReport, PartitionReport
from baygrid.ports.own_schedulers import Estimates, OutsideJobs
from baygrid.ports.records import (
    ArrayRecord,
    AttemptRecord,
    CentreRecord,
    CentreState,
    ChargeRow,
    Cursor,
    DatasetRecord,
    Event,
    Held,
    JobRecord,
    LinkRecord,
    MemberRecord,
    Offer,
    Organisation,
    PolicyRecord,
    Project,
    SecretRecord,
    StoredAnswer,
    Token,
    UsageRow,
)

T = TypeVar("T")


class Conflict(Exception):
    """Something read in this transaction has changed since: the store runs the whole function again."""


class Exists(Exception):
    """A row with this name is already there."""


class Jobs(Protocol):
    def insert(self, rows: Sequence[JobRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, JobRecord]: ...

    def update(self, rows: Sequence[JobRecord]) -> None:
        """Writes each row as version + 1 where it still has `version`; raises Conflict if one has not."""
        ...

    def lock(self, ids: Sequence[str]) -> dict[str, JobRecord]:
        """As `get`; nobody else can change these rows before this transaction has ended."""
        ...

    def waiters(self, ids: Sequence[str]) -> list[str]:
        """Jobs and arrays that wait, or waited, for any of these jobs or arrays, by id."""
        ...

    def short_of_money(self, project: str, limit: int) -> list[JobRecord]:
        """HELD for money, by id."""
        ...

    def open_in(self, array: str) -> list[JobRecord]:
        """The array's elements that have not ended, by id."""
        ...

    def held_in(self, array: str, because: Held, limit: int) -> list[JobRecord]:
        """The array's first elements, by id, that are HELD for this."""
        ...

    def rested(self, now: Instant, limit: int) -> list[JobRecord]:
        """HELD to back off until now or earlier, those whose time came first."""
        ...

    def busy_in(self, array: str) -> int:
        """How many of the array's elements are QUEUED, ACTIVE, or HELD for more than their turn."""
        ...

    def count_in(self, array: str) -> dict[tuple[JobState, str | None], int]:
        """The array's elements by state and cause."""
        ...

    def page(
        self,
        project: str | None,
        states: Sequence[JobState],
        before: str | None,
        limit: int,
        array: str | None = None,
    ) -> list[JobRecord]:
        """Newest first, ids smaller than `before`. `array`: its elements; "none": jobs that are none."""
        ...

    def queued(self, after: str | None, limit: int) -> list[JobRecord]:
        """State QUEUED, by id (oldest first), ids greater than `after`."""
        ...

    def count_by_state(self) -> dict[JobState, int]: ...


class Arrays(Protocol):
    def insert(self, rows: Sequence[ArrayRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, ArrayRecord]: ...

    def lock(self, ids: Sequence[str]) -> dict[str, ArrayRecord]:
        """As Jobs.lock."""
        ...

    def page(self, project: str | None, before: str | None, limit: int) -> list[ArrayRecord]:
        """As Jobs.page."""
        ...

    def update(self, row: ArrayRecord) -> None:
        """Writes `waits_for`, as Jobs.update does."""
        ...

    def count_down(self, id: str, ended: int, failed: int) -> ArrayRecord:
        """So many elements have ended, so many of them without success. Returns the new row, which stays
        locked."""
        ...


class Attempts(Protocol):
    def insert(self, rows: Sequence[AttemptRecord]) -> None: ...

    def get(self, ids: Sequence[str]) -> dict[str, AttemptRecord]: ...

    def update(self, rows: Sequence[AttemptRecord]) -> None:
        """As Jobs.update; never touches `log_size`."""
        ...

    def of_jobs(self, jobs: Sequence[str]) -> list[AttemptRecord]:
        """By job and n."""
        ...

    def wanted(self, centre: str, after_gen: int) -> list[AttemptRecord]:
        """`want` is not NOTHING and `gen` > after_gen, by gen and id."""
        ...

    def live(self) -> list[AttemptRecord]:
        """Not final, or still to be stopped (`want` is not NOTHING): the leader's image and `lost_after`."""
        ...

    def ended(self, since: Instant, most: int) -> list[AttemptRecord]:
        """Those that ran and ended at `since` or later, by id; of more than `most` the newest."""
        ...


class Logs(Protocol):
    """Which stretches of an attempt's log the object store holds (key: `log_key`)."""

    def extend(self, attempt: str, offset: int, size: int) -> int:
        """Adds the stretch if the log now ends at `offset`; returns where the log ends after this call."""
        ...

    def chunks(self, attempt: str, offset: int) -> list[tuple[int, int]]:
        """(offset, size) of the stretches that reach beyond `offset`, in order."""
        ...


class Money(Protocol):
    """Balances and the double-entry ledger, in minor units."""

    def move(self, project: str, *, granted: int = 0, held: int = 0, charged: int = 0) -> bool:
        """One conditional update; False and no change when free money would become negative. Raises KeyError
        when there is no such project."""
        ...

    def post(self, transactions: Sequence[Transaction]) -> None:
        """Raises Exists when a key is already there."""
        ...

    def insert_usage(self, rows: Sequence[UsageRow]) -> None:
        """A record that is already there stays as it is."""
        ...

    def insert_charges(self, rows: Sequence[ChargeRow]) -> None:
        """Raises Exists when (attempt, n) is already charged."""
        ...

    def usage_of(self, attempts: Sequence[str]) -> list[UsageRow]:
        """By job, attempt, n."""
        ...

    def usage_at(self, centre: str, start: Instant, end: Instant) -> list[UsageRow]:
        """Of one centre, of stretches that ended in [start, end), as they came in."""
        ...

    def charges(self, project: str, start: Instant, end: Instant) -> list[ChargeRow]:
        """Posted in [start, end), in the order of posting."""
        ...

    def charges_of(self, jobs: Sequence[str]) -> list[ChargeRow]: ...

    def transactions(self, after: str | None, limit: int) -> list[Transaction]:
        """By id."""
        ...

    def balances(self) -> dict[tuple[str, str], int]:
        """(account, currency) -> sum of its postings."""
        ...


class Region(Protocol):
    """Organisations, projects, tokens, centres and offers: what an operator sets up."""

    def insert_organisation(self, row: Organisation) -> None:
        """Raises Exists; so do the inserts below."""
        ...

    def organisations(self) -> list[Organisation]: ...

    def insert_project(self, row: Project) -> None: ...

    def projects(self, names: Sequence[str] | None = None) -> dict[str, Project]: ...

    def insert_token(self, row: Token) -> None: ...

    def token(self, sha256: str) -> Token | None: ...

    def tokens(self) -> list[Token]: ...

    def revoke_token(self, id: str, now: Instant) -> bool: ...

    def use_token(self, id: str, public_key: str) -> bool:
        """Of a join token: false when another key has used it."""
        ...

    def settle_token(self, id: str) -> None:
        """It is no longer fresh."""
        ...

    def set_renewing(self, centre: str, renewing: bool) -> None: ...

    def insert_centre(self, row: CentreRecord) -> None: ...

    def centres(self) -> dict[str, CentreRecord]: ...

    def centre(self, name: str) -> CentreRecord | None: ...

    def seen(self) -> dict[str, Instant | None]:
        """When each centre's agent last reported; cheap, asked in every planning cycle."""
        ...

    def set_centre_state(self, name: str, state: CentreState) -> bool: ...

    def take_report(self, name: str, incarnation: int, seq: int, now: Instant) -> bool:
        """One conditional update: false unless (incarnation, seq) is newer than the last one taken."""
        ...

    def set_inventory(
        self,
        name: str,
        inventory: tuple[PartitionReport, ...],
        digest: str,
        public_key: str,
        driver: DriverReport | None = None,
    ) -> None:
        """`driver` None: what is known of it stays. Raises KeyError when there is no such centre."""
        ...

    def next_gen(self, name: str) -> int:
        """Adds 1 to the centre's gen and returns it; wakes the centre's waiters after the commit."""
        ...

    def insert_offer(self, row: Offer) -> None: ...

    def add_tariff(self, offer: str, tariff: Tariff) -> None:
        """Raises KeyError when there is no such offer, Exists when one begins at the same time."""
        ...

    def offers(self) -> list[Offer]: ...

    def version(self) -> int:
        """Grows with every change of projects' settings, centres, inventories, offers and tariffs (not with
        heartbeats): who keeps a copy asks this first."""
        ...


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


class Policies(Protocol):
    """Placement policies by when they begin. None is ever changed or removed, so that every decision can be
    understood by the one that was in force."""

    def insert(self, row: PolicyRecord) -> None:
        """Grows the region's version. Raises Exists."""
        ...

    def in_force(self, now: Instant) -> PolicyRecord | None:
        """The one that began last (of several at once, the one that was set last); None: no policy yet."""
        ...

    def history(self) -> list[PolicyRecord]:
        """By `valid_from` and id, oldest first, those that have yet to begin too."""
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


class Exchange(Protocol):
    """Members besides the centres, by name; what was measured of a link, by its two ends."""

    def add_member(self, row: MemberRecord) -> None:
        """Raises Exists."""
        ...

    def remove_member(self, name: str) -> bool:
        """Whether it was there."""
        ...

    def members(self) -> list[MemberRecord]: ...

    def links(self) -> list[LinkRecord]: ...

    def link(self, source: str, target: str) -> LinkRecord | None: ...

    def put_link(self, row: LinkRecord) -> None:
        """In place of what was known of it."""
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
    def region(self) -> Region: ...
    @property
    def events(self) -> Events: ...
    @property
    def leadership(self) -> Leadership: ...
    @property
    def answers(self) -> Answers: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def datasets(self) -> Datasets: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def estimates(self) -> Estimates: ...
    @property
    def outside(self) -> OutsideJobs: ...


class Store(Protocol):
    """`write` commits once, durably, before it returns; concurrent writes may share one commit (group
    commit). After each commit the listeners hear the topics that it touched, also those of other servers on
    the same PostgreSQL: `job:ID`, `project:NAME`, `centre:NAME` (desired changed), `log:ATTEMPT`, `tokens`
    (one was revoked) and `events`.
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
