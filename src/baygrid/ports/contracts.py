"""Contracts about data as rows: what one project lets another read, what came of it, who holds tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from baygrid.core.data.contracts import Side, State, Step, Suspension
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Terms
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class ContractRow:
    """As it stands; how it came there is in its steps.

    `share`: its name among the consumer's, `nth` tells renewals of it apart (0: the first). `exporter`: the
    provider's organisation. `ground`, `choice` (of the law's routes) and `facts` are said by the parties;
    `onward`: the consumer may pass it on. `scope`: of a pilot institution's, the one under which this is.
    `decision`: the law's answer when it was last asked for this
    contract. `records` by obligation. `counts`: its persons count against the exporter's thresholds.
    `warned`: days before the end, of the last warning. `due`: when the leader is to look at it next."""

    id: str
    version: int
    share: str
    nth: int
    provider: str
    consumer: str
    exporter: str
    purpose: str
    ground: str | None
    choice: str | None
    onward: bool
    scope: str | None
    facts: Mapping[str, Any]
    start: Instant
    until: Instant | None
    state: State
    made_at: Instant
    made_by: str
    suspensions: tuple[Suspension, ...] = ()
    decision: Mapping[str, Any] | None = None
    records: Mapping[str, Record] = field(default_factory=dict)
    counts: bool = False
    renews: str | None = None
    warned: int | None = None
    due: Instant | None = None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One table (`project`, `name`) under a contract. `shown`: the fingerprint of the content of which
    persons are noted ("": none yet). `opened`: when it was readable first; `closed`: when it last ceased to
    be (None: it has not)."""

    id: str
    contract: str
    project: str
    name: str
    terms: Terms
    shown: str = ""
    opened: Instant | None = None
    closed: Instant | None = None

    @property
    def ref(self) -> str:
        return f"{self.project}/{self.name}"


@dataclass(frozen=True, slots=True)
class ContractStep:
    """`by`: the token that did it, "" where nobody did. Never changed."""

    contract: str
    n: int
    at: Instant
    step: Step
    side: Side
    by: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExporterRow:
    """`key`: the sealed key of its persons' hashes. `version` goes up whenever other persons count."""

    organisation: str
    key: str
    version: int


@dataclass(frozen=True, slots=True)
class CountRow:
    """Distinct persons that counted at `at`, of grants since `since`. Never changed."""

    exporter: str
    version: int
    since: Instant
    at: Instant
    pi: int
    spi: int


@dataclass(frozen=True, slots=True)
class Versions:
    """Of everything that says whether a contract may be read: while they are the same, so is the law's answer
    on a day. `exporter`: of its counts; `parties`: of the provider's and the consumer's organisation;
    `tables`: by grant. 0: there is none."""

    contract: str
    version: int
    exporter: int
    parties: tuple[int, int]
    tables: tuple[tuple[str, int], ...]


class Contracts(Protocol):
    def insert(self, row: ContractRow, grants: Sequence[GrantRow]) -> None:
        """Raises Exists when the consumer has such a share meanwhile."""
        ...

    def get(self, id: str) -> ContractRow | None: ...

    def change(self, row: ContractRow) -> None:
        """In the place of the row of that version, which then is one more. Raises Conflict when somebody
        changed it meanwhile."""
        ...

    def page(self, project: str | None, before: str, limit: int) -> list[ContractRow]:
        """Of which the project is one side (None: all), newest first, with ids before `before`."""
        ...

    def of_share(self, consumer: str, share: str) -> list[ContractRow]:
        """The newest renewal first."""
        ...

    def of_consumer(self, consumer: str) -> list[ContractRow]:
        """Those that are FINALIZED, by share and renewal."""
        ...

    def of_exporter(self, exporter: str) -> list[ContractRow]:
        """Those that are FINALIZED, by id."""
        ...

    def due(self, now: Instant, limit: int) -> list[ContractRow]: ...

    def grants(self, contracts: Sequence[str]) -> list[GrantRow]:
        """Of these contracts, by contract and table."""
        ...

    def grant(self, id: str) -> GrantRow | None: ...

    def versions(self, consumer: str, share: str) -> list[Versions]:
        """Of the contracts behind a share, the newest renewal first."""
        ...

    def set_grants(self, contract: str, grants: Sequence[GrantRow]) -> None:
        """In the place of what there was; only before it is agreed."""
        ...

    def change_grant(self, row: GrantRow) -> None:
        """`shown`, `opened`, `closed`."""
        ...

    def append_step(self, row: ContractStep) -> None:
        """Raises Conflict when the contract has an nth step already."""
        ...

    def steps(self, contract: str) -> list[ContractStep]: ...


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """Somebody under a consumer's project who holds tokens to read with."""

    id: str
    project: str
    name: str
    made_at: Instant
    made_by: str


@dataclass(frozen=True, slots=True)
class RecipientToken:
    """`link`: the digest of the one-time secret of its activation link, good until `link_until`; `digest`: of
    the token itself, which is made when the link is used (`activated_at`). `lasts_ms`: from then on."""

    id: str
    recipient: str
    link: str
    link_until: Instant
    lasts_ms: int
    made_at: Instant
    made_by: str
    digest: str | None = None
    activated_at: Instant | None = None
    expires_at: Instant | None = None
    revoked_at: Instant | None = None


class Recipients(Protocol):
    def insert(self, row: RecipientRow) -> None:
        """Raises Exists when the project has one of that name."""
        ...

    def get(self, project: str, name: str) -> RecipientRow | None: ...

    def page(self, project: str | None) -> list[RecipientRow]:
        """By project and name; None: of all."""
        ...

    def insert_token(self, row: RecipientToken) -> None: ...

    def tokens(self, recipient: str) -> list[RecipientToken]:
        """The oldest first."""
        ...

    def activate(self, link: str, digest: str, now: Instant) -> tuple[RecipientRow, RecipientToken] | None:
        """Makes the token of an activation link that was not used before, is not too old and not revoked;
        None: there is no such link."""
        ...

    def end(self, recipient: str, now: Instant, at: Instant) -> int:
        """Its tokens expire at `at` if they would later, and its links that nobody has used are good for
        nothing any more; how many of both."""
        ...

    def revoke(self, recipient: str, at: Instant) -> int:
        """At once; how many were not revoked before."""
        ...

    def bearer(self, digest: str) -> tuple[RecipientRow, RecipientToken] | None: ...

    def holder(self, token: str) -> tuple[RecipientRow, RecipientToken] | None:
        """The same by the token's id."""
        ...
