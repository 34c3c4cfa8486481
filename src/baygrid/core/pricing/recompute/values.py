"""What a bundle for offline recomputation holds, as values: papers, and all that they follow from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from baygrid.core.pricing.charge import Consumption, Line
from baygrid.core.pricing.contracts import Cover, Kind
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.pricing.vouchers import Drawn, Terms
from baygrid.core.units import Money

Key = tuple[str, int]
"""(attempt, n) of a usage record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A usage record, and whose it is said to be. `said`: whose it says that it is. `data`: what its agent
    signed, canonical JSON. `covers`: what its attempt still had of trades before it."""

    attempt: str
    n: int
    centre: str
    project: str
    job: str
    offer: str
    public_key: str
    signature: str
    said: Key
    used: Consumption
    data: bytes
    covers: tuple[Cover, ...] = ()

    @property
    def key(self) -> Key:
        return self.attempt, self.n


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """`tariffs`: oldest first."""

    centre: str
    partition: str
    accelerator: str | None
    currency: str
    tariffs: tuple[Tariff, ...]


@dataclass(frozen=True, slots=True)
class TradeTerms:
    """What a trade, or (`project` None) a spot listing, sold of an offer."""

    project: str | None
    offer: str
    kind: Kind
    rate: Fraction
    cpus: int
    memory_mib: int

    def sold(self, cover: Cover) -> bool:
        """Whether a cover is of this."""
        said = (cover.kind, cover.rate, cover.cpus, cover.memory_mib)
        return said == (self.kind, self.rate, self.cpus, self.memory_mib)


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """`project` None: for all of its organisation's."""

    organisation: str
    project: str | None
    pool: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class PostedShare:
    """What a voucher paid of a charge, in minor units, and what it and its pool had then."""

    voucher: str
    pool: str
    base: int
    paid: int
    had: Drawn
    pool_left: int


@dataclass(frozen=True, slots=True)
class PostedCharge:
    """What one usage record cost, as it stands on a bill."""

    job: str
    job_name: str
    attempt: str
    n: int
    centre: str
    offer: str
    at: int
    lines: tuple[Line, ...]
    amount: Money
    overrun: Money
    supported: Money
    shares: tuple[PostedShare, ...]

    @property
    def key(self) -> Key:
        return self.attempt, self.n


@dataclass(frozen=True, slots=True)
class Other:
    """What is billed that no usage record measures: trades, storage. `key`: of the ledger."""

    what: str
    at: int
    amount: Money
    key: str


@dataclass(frozen=True, slots=True)
class Sold:
    """What a centre is paid for that no usage record measures: the same as an invoice's `Other`."""

    project: str
    what: str
    at: int
    amount: Money
    key: str


@dataclass(frozen=True, slots=True)
class Tax:
    name: str
    rate: Fraction
    source: str
    amount: Money


@dataclass(frozen=True, slots=True)
class AlsoIn:
    """The total in another currency: so many of it for one of the paper's, on a day, by a source."""

    currency: str
    rate: Fraction
    on: str
    source: str
    total: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """A project's charges in [start, end); `number` "" where no month was closed with it. Of an invoice,
    `subtotal` with `tax` is the total, `settled` says by what kinds of money the subtotal is paid, and what
    of it is credit is `due`, with the tax."""

    kind: str
    project: str
    start: int
    end: int
    currency: str
    charges: tuple[PostedCharge, ...]
    others: tuple[Other, ...]
    subtotal: Money
    supported: Money
    overrun: Money
    total: Money
    number: str = ""
    month: str | None = None
    tax: Tax | None = None
    settled: Mapping[str, Money] | None = None
    due: Money | None = None
    also_in: AlsoIn | None = None


@dataclass(frozen=True, slots=True)
class Earned:
    """One charge as its centre sees it."""

    project: str
    job: str
    attempt: str
    n: int
    at: int
    amount: Money
    overrun: Money
    supported: Money
    total: Money

    @property
    def key(self) -> Key:
        return self.attempt, self.n


@dataclass(frozen=True, slots=True)
class Fee:
    """Of the platform, on what a centre earned."""

    rate: Fraction
    amount: Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the platform owes a centre for [start, end): the gross less its fee."""

    number: str
    centre: str
    month: str
    start: int
    end: int
    currency: str
    charges: tuple[Earned, ...]
    others: tuple[Sold, ...]
    gross: Money
    fee: Fee
    payable: Money


@dataclass(frozen=True, slots=True)
class ClaimedVoucher:
    """`finding`: why it was issued, as it was then."""

    id: str
    organisation: str
    rate: Fraction
    cap: Money
    contract: Money | None
    finding: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ClaimedShare:
    """A share of a charge that `invoice` has."""

    voucher: str
    project: str
    job: str
    attempt: str
    n: int
    at: int
    base: int
    paid: int
    had: Drawn
    pool_left: int
    invoice: str

    @property
    def key(self) -> Key:
        return self.attempt, self.n


@dataclass(frozen=True, slots=True)
class Claim:
    """What is asked of the payer of a pool for a month of its vouchers' shares."""

    number: str
    pool: str
    month: str
    start: int
    end: int
    currency: str
    vouchers: tuple[ClaimedVoucher, ...]
    shares: tuple[ClaimedShare, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What is taken back of an invoice, with its tax: `forgiven` was due, `returned` was paid."""

    number: str
    invoice: str
    project: str
    month: str
    issued_at: int
    currency: str
    amount: Money
    tax: Tax | None
    forgiven: Money
    returned: Money


Paper = Bill | Settlement | Claim | CreditNote


@dataclass(frozen=True, slots=True)
class Signed:
    """By the platform; both in hex."""

    public_key: str
    signature: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """`keys`: of each centre, hex. `data`: what the platform signed, the canonical JSON of all the rest."""

    papers: tuple[Paper, ...]
    usage: tuple[Record, ...]
    offers: Mapping[str, OfferTerms]
    vouchers: Mapping[str, VoucherTerms]
    keys: Mapping[str, tuple[str, ...]]
    signed: Signed
    data: bytes
    trades: Mapping[str, TradeTerms] = field(default_factory=dict)
