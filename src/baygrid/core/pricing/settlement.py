"""Settlement: what the platform owes a centre for a month, from the same charges as the invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document, Other, Posted, one_currency
from baygrid.core.pricing.rates import Rate
from baygrid.core.reasons import JSON
from baygrid.core.units import Money, exact


@dataclass(frozen=True, slots=True)
class Settlement:
    """Of one centre in one currency. The centre earns all of each charge, whoever pays it, and what projects
    paid it besides (`others`); the platform keeps its `fee` of the sum (None: nothing). Raises ValueError for
    a charge in another currency."""

    number: str
    centre: str
    month: Month
    issued_at: int
    currency: str
    charges: Sequence[Posted]
    fee: Rate | None
    others: Sequence[Other] = ()

    def __post_init__(self) -> None:
        one_currency(self.charges, self.currency)

    @property
    def gross(self) -> Money:
        charged = Money(sum(it.total for it in self.charges), self.currency)
        return sum((it.amount for it in self.others), charged)

    @property
    def fee_amount(self) -> Money:
        return Money.zero(self.currency) if self.fee is None else self.fee.of(self.gross)

    @property
    def payable(self) -> Money:
        return self.gross - self.fee_amount

    def to_json(self) -> Document:
        return {
            "kind": "settlement",
            "number": self.number,
            "centre": self.centre,
            "month": str(self.month),
            "from": self.month.start,
            "to": self.month.end,
            "issued_at": self.issued_at,
            "currency": self.currency,
            "charges": [_charge(it) for it in sorted(self.charges, key=lambda it: it.order)],
            "others": [
                {"project": it.project, **it.to_json()}
                for it in sorted(self.others, key=lambda it: (it.at, it.key))
            ],
            "gross": str(self.gross),
            "fee": {
                "rate": "0" if self.fee is None else exact(self.fee.rate),
                "source": None if self.fee is None else self.fee.source,
                "amount": str(self.fee_amount),
            },
            "payable": str(self.payable),
        }


def _charge(it: Posted) -> dict[str, JSON]:
    return {
        "project": it.project,
        "job": it.job,
        "attempt": it.attempt,
        "n": it.n,
        "at": it.at,
        "amount": it.money(it.amount),
        "overrun": it.money(it.overrun),
        "supported": it.money(it.supported),
        "total": it.money(it.total),
    }
