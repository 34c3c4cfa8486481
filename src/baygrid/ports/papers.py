"""Papers as rows: invoices, settlements, claims and credit notes, what is still due of them, closed months,
and the rates that they are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.rates import ExchangeRate, Rate
from baygrid.ports.basics import Instant


class PaperKind(StrEnum):
    INVOICE = "invoice"
    SETTLEMENT = "settlement"
    CLAIM = "claim"
    CREDIT_NOTE = "credit-note"


@dataclass(frozen=True, slots=True)
class PaperRow:
    """Never changed. `subject`: the project, of a settlement the centre, of a claim the pool. `total`: minor
    units. `document`: JSON text with sorted keys, `sha256` its digest. `regards`: the invoice that a credit
    note is of."""

    kind: PaperKind
    number: str
    month: str
    subject: str
    currency: str
    issued_at: Instant
    total: int
    sha256: str
    document: str
    regards: str | None = None


@dataclass(frozen=True, slots=True)
class DueRow:
    """What is still to be paid of a paper, in minor units: `due` at first, of which `paid` has come and
    `forgiven` is no longer due; `credited` of its `total` was taken back by credit notes."""

    total: int
    due: int
    paid: int = 0
    forgiven: int = 0
    credited: int = 0

    @property
    def left(self) -> int:
        return self.due - self.paid - self.forgiven


class Party(StrEnum):
    """With whom the platform exchanges money."""

    PROJECT = "project"
    CENTRE = "centre"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that came, or went to a centre, in minor units; never changed. `number`: of the invoice,
    settlement or claim that is paid; None: a project pays in ahead. `reference`: the bank's, say; one party's
    is booked once."""

    party: Party
    subject: str
    reference: str
    number: str | None
    amount: int
    currency: str
    at: Instant
    booked_by: str

    @property
    def key(self) -> str:
        """Of its transaction in the ledger."""
        return f"payment:{self.party.value}:{self.subject}:{self.reference}"


@dataclass(frozen=True, slots=True)
class CloseRow:
    """A month that is closed: nothing is posted before `until` any more."""

    month: str
    until: Instant
    closed_at: Instant
    closed_by: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """`set_by`: a token's id."""

    rate: Rate
    set_at: Instant
    set_by: str


@dataclass(frozen=True, slots=True)
class ExchangeRateRow:
    """`set_by`: a token's id."""

    rate: ExchangeRate
    set_at: Instant
    set_by: str


class Papers(Protocol):
    """What is issued, when months are closed. Papers, closes and rates are append-only."""

    def lock_month(self, month: Month) -> None:
        """Whoever posts into this month has ended, and nobody else does before this transaction ends."""
        ...

    def closes(self) -> list[CloseRow]:
        """Oldest first."""
        ...

    def close(self, row: CloseRow) -> None: ...

    def next_place(self, kind: PaperKind, month: Month) -> int:
        """Which paper of its kind and month the next one is, from 1: nobody else's before this transaction
        ends."""
        ...

    def insert(self, rows: Sequence[tuple[PaperRow, int]]) -> None:
        """Each with what is due of it. Raises Exists."""
        ...

    def paper(self, kind: PaperKind, number: str) -> tuple[PaperRow, DueRow] | None: ...

    def page(
        self, kind: PaperKind, subject: str | None, month: str | None, after: str, limit: int
    ) -> list[tuple[PaperRow, DueRow]]:
        """By number, beyond `after`; of one subject, of one month, where these are given."""
        ...

    def regarding(self, invoice: str) -> list[str]:
        """The numbers of its credit notes."""
        ...

    def insert_draws(self, project: str, number: str, drawn: Mapping[str, int]) -> None:
        """What an invoice drew of each allocation, minor units."""
        ...

    def draws(self, project: str) -> dict[str, int]:
        """What all its invoices drew of each allocation."""
        ...

    def insert_payment(self, row: PaymentRow) -> None:
        """Raises Exists for a reference of this party that is booked already."""
        ...

    def payment(self, party: Party, subject: str, reference: str) -> PaymentRow | None: ...

    def payments(self, party: Party | None, subject: str | None) -> list[PaymentRow]:
        """In the order of booking; with one party, or kind of them, where these are given."""
        ...

    def lock_due(self, kind: PaperKind, number: str) -> DueRow | None:
        """As it is now: nobody else changes it before this transaction ends."""
        ...

    def settle(
        self, kind: PaperKind, number: str, *, paid: int = 0, forgiven: int = 0, credited: int = 0
    ) -> None:
        """Of a due that this transaction has locked."""
        ...

    def insert_rate(self, row: RateRow) -> None: ...

    def rates(self) -> list[RateRow]:
        """In the order in which they were set."""
        ...

    def insert_exchange_rate(self, row: ExchangeRateRow) -> None: ...

    def exchange_rates(self) -> list[ExchangeRateRow]:
        """In the order in which they were set."""
        ...
