"""The shapes of requests and answers about papers: invoices and their like, closes, payments, rates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from baygrid.api.bodies import Amount, Body, Text
from baygrid.api.schemas import Money, Shape, Time

Kind = Literal["invoice", "settlement", "claim", "credit-note"]
Number = Annotated[str, Field(examples=["2026-11-0001"])]
Month = Annotated[str, Field(examples=["2026-11"], description="of the region's clock, UTC+8")]
Share = Annotated[str, Field(examples=["0.06"], description="an exact number, a fraction such as 1/3")]
Source = Annotated[str, Field(description="the law, notice or contract that it is from")]


class PaperLine(Shape):
    """`subject`: the project, of a settlement the centre, of a claim the pool."""

    kind: Kind
    number: Number
    month: Month
    subject: str
    issued_at: Time
    total: Money = Field(description="of a settlement what is payable")
    due: Money = Field(description="what was to be paid when it was issued")
    paid: Money
    forgiven: Money = Field(description="no longer due, by credit notes")
    left: Money = Field(description="still to be paid")
    credited: Money = Field(description="taken back by credit notes, of the total")
    sha256: str = Field(description="of the document as JSON with sorted keys and no spaces")
    regards: Number | None = Field(description="the invoice that a credit note is of")


class Paper(PaperLine):
    credit_notes: list[Number]
    document: dict[str, Any] = Field(description="what the paper says; it never changes")


class Close(Shape):
    month: Month
    until: Time
    closed_at: Time
    closed_by: str


class Closed(Shape):
    """The papers of a month. `closed_at` null: it was only asked what they would be."""

    month: Month
    closed_at: Time | None
    papers: list[PaperLine]
    missing: list[str] = Field(description="rates that nobody has set, and so are in none of its papers")


class Payment(Shape):
    """`number`: of the invoice, settlement or claim that is paid; null: a project paid in ahead."""

    party: Literal["project", "centre", "pool"]
    subject: str
    reference: str
    number: Number | None
    amount: Money
    at: Time


class Balance(Shape):
    prepaid: Money = Field(description="what it may spend; below nothing: used on credit, not yet invoiced")
    due: Money = Field(description="what it owes for invoices")


class Movement(Balance):
    at: Time
    what: str
    key: str = Field(description="of the ledger's transaction")


class Statement(Shape):
    project: str
    currency: str
    from_: Time = Field(alias="from")
    to: Time
    opening: Balance
    movements: list[Movement]
    closing: Balance


class Rate(Shape):
    name: str
    rate: Share
    since: Month
    source: Source
    set_at: Time


class ExchangeRate(Shape):
    """One `base` is `rate` `quote`."""

    base: str
    quote: str
    rate: Share
    on: str = Field(examples=["2026-11-30"])
    source: Source
    set_at: Time


class NewClose(Body):
    month: Text = Field(examples=["2026-11"])
    dry_run: bool = Field(default=False, description="only answer what it would do")


class NewCreditNote(Body):
    amount: Amount = Field(description="with its tax; at most what is left of the invoice")
    reason: Text


class NewPayment(Body):
    amount: Amount
    reference: Text = Field(description="the bank's, say; told again, it is not booked again")


class NewRate(Body):
    name: Text = Field(examples=["VAT"])
    rate: Text = Field(examples=["6%"])
    since: Text = Field(examples=["2026-11-01"], description="the first day of a month")
    source: Text


class NewExchangeRate(Body):
    base: Text = Field(examples=["CNY"])
    quote: Text = Field(examples=["HKD"])
    rate: Text = Field(examples=["1.0870"])
    on: Text = Field(examples=["2026-11-30"])
    source: Text
