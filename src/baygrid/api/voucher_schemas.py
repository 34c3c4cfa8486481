"""The shapes of answers about public support: pools, and vouchers that draw on them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from baygrid.api.schemas import Money, Shape, Time


class Pool(Shape):
    name: str
    payer: str
    rulebook: str
    clause: str
    amount: Money
    paid: Money = Field(description="by vouchers, so far")
    left: Money
    made_at: Time


class Voucher(Shape):
    """It pays `rate` of what usage costs that lies within [from, until), of costs of `contract` at most, and
    up to `cap`; never more than its pool has left."""

    id: str
    organisation: str
    project: str | None
    pool: str
    rulebook: str
    clause: str
    reference: str
    rate: str = Field(examples=["0.6"])
    cap: Money
    contract: Money | None
    supported: Money = Field(description="costs of which it paid its share so far")
    paid: Money
    left: Money = Field(description="of the cap; the pool may have less")
    from_: Time = Field(alias="from")
    until: Time
    issued_at: Time
    finding: dict[str, Any] = Field(
        description="what the clause found of the applicant on that day, with its trace"
    )
