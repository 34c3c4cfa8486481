"""Rows as values. `version` counts the changes of a row: an update names the version that it read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from baygrid.core.data.lineage import NOBODY_SAID, Content
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.placement.demand import Bar
from baygrid.core.placement.links import Sample
from baygrid.core.pricing.budgets import Budget, Spent
from baygrid.core.pricing.contracts import Cover
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.rating.value import Plan
from baygrid.ports.basics import Instant
from baygrid.ports.messages import PartitionReport, SignedRating


class Kind(StrEnum):
    """Whom the platform serves."""

    COMPANY = "company"
    UNIVERSITY = "university"
    INSTITUTE = "institute"


class Role(StrEnum):
    """What a token may be: a team works in one project, a centre speaks for one centre, an operator runs
    the region; with a join token an agent gets its centre's own."""

    TEAM = "team"
    CENTRE = "centre"
    OPERATOR = "operator"
    JOIN = "join"


class Scope(StrEnum):
    """What tokens and sessions may be good for: to look; to submit, cancel, change; to say who else may."""

    READ = "read"
    USE = "use"
    MANAGE = "manage"


class Want(StrEnum):
    """What should become of an attempt at its centre. NOTHING: both sides are done with it."""

    RUN = "run"
    STOP = "stop"
    NOTHING = "nothing"


class Held(StrEnum):
    """Why a job is HELD: for its turn in its array, for jobs that must succeed first, for free money, or
    for a while after an attempt that failed."""

    ARRAY = "array"
    AFTER = "after"
    MONEY = "money"
    BACK_OFF = "back-off"


class CentreState(StrEnum):
    OPEN = "open"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    kind: Kind
    title: str


@dataclass(frozen=True, slots=True)
class Project:
    """Balances in minor units of `currency`. Free is granted - held - charged and never negative. `before`:
    what was charged before the month that began at `month`; `alerted`: the last alert of its budget that was
    told in it, in percent."""

    name: str
    organisation: str
    currency: str
    granted: int = 0
    held: int = 0
    charged: int = 0
    month: Instant = 0
    before: int = 0
    budget: Budget | None = None
    alerted: int = 0

    @property
    def free(self) -> int:
        return self.granted - self.held - self.charged

    def spent(self, now: Instant) -> Spent:
        """How it stands in the month of `now`."""
        month = Month.of(now)
        charged = self.charged - self.before if self.month >= month.start else 0
        return Spent(month, charged, self.held)


@dataclass(frozen=True, slots=True)
class Token:
    """Only the sha256 of the secret is stored. `project` for a team, `centre` for a centre. Of a join token:
    `used_by`, the public key that joined with it, and whether it may make offers. `fresh`: a centre's that
    was never used; when it is, it takes the place of all others. `user`: whose it is; None: nobody's, such as
    of a service. `made_by`: a user, else a token's id."""

    id: str
    sha256: str
    role: Role
    label: str
    project: str | None
    centre: str | None
    created_at: Instant
    revoked_at: Instant | None = None
    expires_at: Instant | None = None
    used_by: str | None = None
    with_offers: bool = False
    fresh: bool = False
    scopes: frozenset[Scope] = frozenset({Scope.READ, Scope.USE})
    user: str | None = None
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class CentreRecord:
    """`gen` grows with every change of what is desired of the centre. (incarnation, seq) is the last report
    taken. `seen_at` None: its agent has never reported. `version`: of what its driver drives. `capabilities`:
    of `ports.messages.CAPABILITIES`, None: its agent has not said. `renewing`: its agent is to make itself a
    new credential. `refused`: what of its last report was not believed, and why."""

    name: str
    jurisdiction: str
    driver: str
    state: CentreState = CentreState.OPEN
    public_key: str = ""
    incarnation: int = 0
    seq: int = 0
    gen: int = 0
    seen_at: Instant | None = None
    inventory: tuple[PartitionReport, ...] = ()
    inventory_digest: str = ""
    version: str = ""
    capabilities: frozenset[str] | None = None
    renewing: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """A partition of a centre at a price: plain (accelerator None) or with one accelerator model. Tariffs by
    `valid_from`, oldest first; the one in force is the last that has begun."""

    id: str
    centre: str
    partition: str
    accelerator: str | None
    currency: str
    tariffs: tuple[Tariff, ...]


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """What the operator declared about placement, in force from `valid_from` until the next one begins.
    `document` as by `core.placement.policy_file`; `set_by`: a token's id."""

    id: str
    valid_from: Instant
    set_at: Instant
    set_by: str
    document: Mapping[str, Any]


class MemberKind(StrEnum):
    """What a member of the exchange is that is no centre."""

    NETWORK = "network"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class MemberRecord:
    name: str
    kind: MemberKind
    added_at: Instant


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """From one member to another; `EXCHANGE` is the exchange itself. The last `samples`, oldest first."""

    source: str
    target: str
    samples: tuple[Sample, ...]


EXCHANGE: Final = "exchange"
"""The middle of it: where the region's own store is."""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """One version of a dataset; never changed. `uri`: as `core.jobs.addresses` has it, or "blob:" and the
    SHA-256 of a tar that this server holds. `sha256`: of its content, a folder's of its listing; None where
    nobody said. `jurisdiction`: a fact that its owner states; of an output that of the centre which made it.
    `shared`: other organisations may read it, too. `made_by`: an attempt, else a token's id. `lineage`: the
    inputs of the job that made it. `content`: what it is in law, as its owner or its inputs say."""

    project: str
    name: str
    version: int
    jurisdiction: str
    uri: str
    sha256: str | None
    bytes: int | None
    shared: bool
    made_at: Instant
    made_by: str
    job: str | None = None
    lineage: tuple[str, ...] = ()
    content: Content = NOBODY_SAID

    @property
    def ref(self) -> str:
        """As a job file names it."""
        return f"dataset:{self.project}/{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """`sealed`: its value as only a server with the key `key` can read it."""

    project: str
    name: str
    sealed: str
    key: str
    set_at: Instant
    set_by: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """`spec` is the job file as a document. Minor units of `currency`: `hold` is what is held now, `asked`
    what the next attempt is to hold while the job waits. `attempts`: how many were made so far; `retries`:
    after how many of them it was tried again because it failed. `checkpoint`: SHA-256 of what the newest one
    left to go on from. `input_bytes`: of all files and datasets whose size is known. `array` and `index`: of
    an element. `waits_for`: jobs and arrays that have not ended yet. `cause` of a HELD job: why, `Held`.
    `waited_at`: CENTRE/PARTITION from whose own queue its last attempt was withdrawn, "" where it was not.
    `not_before`: when its next attempt may be made, of a job that is held to back off. `bars`: where the law
    does not let its datasets go, as it was judged last; None: it takes in none."""

    id: str
    project: str
    name: str
    state: JobState
    spec: Mapping[str, Any]
    submitted_at: Instant
    submitted_by: str
    currency: str
    hold: int
    version: int = 0
    ended_at: Instant | None = None
    cause: str | None = None
    detail: str = ""
    exit_code: int | None = None
    asked: int = 0
    attempts: int = 0
    retries: int = 0
    checkpoint: str | None = None
    array: str | None = None
    index: int | None = None
    waits_for: tuple[str, ...] = ()
    input_bytes: int = 0
    waited_at: str = ""
    not_before: Instant | None = None
    bars: tuple[Bar, ...] | None = None


@dataclass(frozen=True, slots=True)
class ArrayRecord:
    """`size` elements, of which at most `parallel` are queued or running at once; `left` have not ended yet,
    `failed` have ended without success. `waits_for`: as of a job, for all its elements."""

    id: str
    project: str
    name: str
    size: int
    parallel: int
    left: int
    submitted_at: Instant
    submitted_by: str
    failed: int = 0
    version: int = 0
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One run of a job at one centre, on `count` nodes. `nodes`: their names; none while the centre's own
    scheduler has not said which it chose. `gen`: the centre's gen at which `want` last changed.
    `accelerators` per node, of each `accelerator_share` thousandths; `accelerator_slots`: which shared one,
    node by node.
    `staged_bytes` of `staging_bytes` (None: nobody knows how many) of its inputs have come.
    `reasons`: why there (an Explanation as JSON). `log_size`: bytes of the log that are here;
    `log_end`: how many there are in all, known when it has ended. `expected_at`: when its centre's own
    scheduler thinks that it will start, while it waits there and that is known. `covers`: what it took of
    trades when it was placed."""

    id: str
    job: str
    project: str
    n: int
    token: str
    centre: str
    partition: str
    offer: str
    nodes: tuple[str, ...]
    count: int
    cpus: int
    memory_mib: int
    accelerator: str | None
    accelerators: int
    grace_s: int
    placed_at: Instant
    reasons: Mapping[str, Any]
    state: AttemptState = AttemptState.PLACED
    want: Want = Want.RUN
    gen: int = 0
    version: int = 0
    stop_reason: str = ""
    raw: str = ""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    exit_code: int | None = None
    cause: str | None = None
    detail: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    log_size: int = 0
    log_end: int | None = None
    accelerator_share: int = 1000
    accelerator_slots: tuple[int, ...] = ()
    staged_bytes: int = 0
    staging_bytes: int | None = None
    expected_at: Instant | None = None
    covers: tuple[Cover, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Append-only. `term`: the leader's term where the scheduler decided, else 0."""

    at: Instant
    kind: str
    project: str | None = None
    job: str | None = None
    attempt: str | None = None
    centre: str | None = None
    term: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the event stream. On PostgreSQL rows are ordered by (transaction, id), because ids alone
    become visible out of order; on SQLite `transaction` is 0."""

    transaction: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.transaction}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError."""
        transaction, _, number = text.partition("-")
        return cls(int(transaction), int(number))


@dataclass(frozen=True, slots=True)
class RatingRow:
    """`public_key`: as in `UsageRow`."""

    public_key: str
    signed: SignedRating
    stored_at: Instant


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What an operator published of a centre. `set_by`: a token's id."""

    plan: Plan
    set_at: Instant
    set_by: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to a request with an Idempotency-Key, kept in the transaction that did the work."""

    project: str
    key: str
    body_sha256: str
    status: int
    body: str
    at: Instant
