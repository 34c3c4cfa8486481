"""Credit notes: part of an invoice is taken back, never more than is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document
from baygrid.core.units import Money


@dataclass(frozen=True, slots=True)
class Credited:
    """An amount with its tax: `forgiven` of it is no longer due, `returned` the project may spend again."""

    amount: Money
    tax: Money
    forgiven: Money
    returned: Money


def credited(amount: Money, *, before: Money, total: Money, tax: Money, open_due: Money) -> Credited:
    """What `amount` of an invoice comes to. `total` and `tax`: of the invoice; `before`: credited by earlier
    notes; `open_due`: what is due and not paid. What is due goes first.

    The tax is a floor over all that was credited so far, so that notes over the whole invoice take back
    exactly its tax, however they are split. Raises ValueError for nothing, and for more than is left.
    """
    left = total - before
    if not 0 < amount.minor <= left.minor:
        raise ValueError(f"of this invoice {left} is left: a credit note is more than nothing, at most that")
    through = before + amount
    of_tax = through.minor * tax.minor // total.minor - before.minor * tax.minor // total.minor
    forgiven = min(amount, open_due)
    return Credited(amount, Money(of_tax, amount.currency), forgiven, amount - forgiven)


@dataclass(frozen=True, slots=True)
class CreditNote:
    """`invoice`: the document of the one that it is of. `issued_at`: milliseconds since 1970, UTC; `month` is
    that of this moment."""

    number: str
    invoice: Mapping[str, Any]
    month: Month
    issued_at: int
    reason: str
    parts: Credited

    def to_json(self) -> Document:
        parts, tax = self.parts, self.invoice["tax"]
        return {
            "kind": "credit-note",
            "number": self.number,
            "invoice": self.invoice["number"],
            "project": self.invoice["project"],
            "organisation": self.invoice["organisation"],
            "month": str(self.month),
            "issued_at": self.issued_at,
            "currency": parts.amount.currency,
            "reason": self.reason,
            "amount": str(parts.amount),
            "tax": tax and {**tax, "amount": str(parts.tax)},
            "forgiven": str(parts.forgiven),
            "returned": str(parts.returned),
        }
