"""The shapes of answers about money: the ledger, and bills."""

from __future__ import annotations

from pydantic import Field

from baygrid.api.schemas import Money, Shape, Time


class Posting(Shape):
    account: str
    amount: Money


class Transaction(Shape):
    id: str
    key: str
    at: Time
    narration: str
    postings: list[Posting]
    sources: list[str]


class Balance(Shape):
    account: str
    balance: Money


class BillLine(Shape):
    """quantity x rate = amount (of a commitment rounded down); a quantity that is no decimal number is a
    fraction such as 1/3."""

    job: str
    name: str
    attempt: str
    n: int
    centre: str
    offer: str
    item: str
    quantity: str
    unit: str
    rate: str
    amount: Money
    trade: str | None = Field(description="that set the rate, or the spot listing; null: the tariff did")
    from_: Time = Field(alias="from")
    to: Time


class Share(Shape):
    """What a voucher paid of a charge: of `base` it paid `paid`."""

    job: str
    attempt: str
    n: int
    voucher: str
    pool: str
    base: Money
    paid: Money


class NotCharged(Shape):
    """An attempt that its centre lost, or that was interrupted there with nothing kept of it."""

    job: str
    attempt: str
    centre: str
    started_at: Time
    ended_at: Time
    why: str


class Other(Shape):
    """What was bought ahead, not used: a reservation, or what was not used of a commitment. Less than nothing
    where money came back."""

    what: str
    centre: str
    at: Time
    amount: Money
    key: str = Field(description="of its transaction in the ledger")


class Difference(Shape):
    attempt: str
    n: int
    what: str


class Recomputed(Shape):
    """What is not as the signed usage records and the tariffs say; empty when every line is right."""

    lines: int
    differences: list[Difference]


class Bill(Shape):
    project: str
    currency: str
    from_: Time = Field(alias="from")
    to: Time
    lines: list[BillLine]
    shares: list[Share]
    not_charged: list[NotCharged]
    others: list[Other]
    supported: Money = Field(description="what vouchers paid: all shares together")
    total: Money = Field(
        description="what the project pays: the lines less `supported` and `overrun`, and `others`"
    )
    overrun: Money
    recomputed: Recomputed | None = Field(default=None, description="only when asked for")


class SigningKey(Shape):
    public_key: str
