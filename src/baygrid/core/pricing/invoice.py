"""Invoices: what a project used in a month, out of which money it was paid, and what is due.

Nothing is rounded but the tax, once: subtotal, total and due are sums of posted amounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from baygrid.core.pricing.allocations import Allocation, Source, drawn, netted
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document, Other, Posted, one_currency
from baygrid.core.pricing.rates import ExchangeRate, Rate
from baygrid.core.reasons import JSON
from baygrid.core.units import Money, exact


@dataclass(frozen=True, slots=True)
class Settled:
    """Out of which money a month was paid: minor units by source, and by allocation. What no allocation
    covers is credit: it is due."""

    by_source: Mapping[Source, int] = field(default_factory=dict)
    by_allocation: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, source: Source) -> int:
        return self.by_source.get(source, 0)


@dataclass(frozen=True, slots=True)
class Customer:
    """An organisation as an invoice names it. `kind`: "company", "university" or "institute"."""

    name: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """What an invoice says. `tax` None: no tax is configured. `exchange`: from its currency into another;
    None: no rate is known. `issued_at`: milliseconds since 1970, UTC. Raises ValueError for a charge in
    another currency, and where what was `settled` is not the subtotal."""

    number: str
    project: str
    customer: Customer
    month: Month
    issued_at: int
    currency: str
    charges: Sequence[Posted]
    others: Sequence[Other]
    settled: Settled
    tax: Rate | None
    exchange: ExchangeRate | None

    def __post_init__(self) -> None:
        one_currency(self.charges, self.currency)
        if sum(self.settled.by_source.values()) != self.subtotal.minor:
            raise ValueError(f"invoice {self.number} of {self.subtotal} is settled otherwise: {self.settled}")

    @property
    def subtotal(self) -> Money:
        charged = Money(sum(it.amount for it in self.charges), self.currency)
        return sum((it.amount for it in self.others), charged)

    @property
    def tax_amount(self) -> Money:
        return Money.zero(self.currency) if self.tax is None else self.tax.of(self.subtotal)

    @property
    def total(self) -> Money:
        return self.subtotal + self.tax_amount

    @property
    def due(self) -> Money:
        """What is still to be paid: what was used on credit, and the tax."""
        return Money(self.settled[Source.CREDIT], self.currency) + self.tax_amount

    def to_json(self) -> Document:
        return {
            "kind": "invoice",
            "number": self.number,
            "project": self.project,
            "organisation": {
                "name": self.customer.name,
                "title": self.customer.title,
                "kind": self.customer.kind,
            },
            "month": str(self.month),
            "from": self.month.start,
            "to": self.month.end,
            "issued_at": self.issued_at,
            "currency": self.currency,
            "charges": [charge_document(it) for it in sorted(self.charges, key=lambda it: it.order)],
            "others": [it.to_json() for it in sorted(self.others, key=lambda it: (it.at, it.key))],
            "subtotal": str(self.subtotal),
            "supported": self._text(sum(it.supported for it in self.charges)),
            "overrun": self._text(sum(it.overrun for it in self.charges)),
            "tax": None if self.tax is None else self._tax(self.tax),
            "total": str(self.total),
            "settled": {source.value: self._text(self.settled[source]) for source in Source},
            "drawn": {id: self._text(minor) for id, minor in sorted(self.settled.by_allocation.items())},
            "due": str(self.due),
            "also_in": None if self.exchange is None else _also_in(self.exchange, self.total),
        }

    def _text(self, minor: int) -> str:
        return str(Money(minor, self.currency))

    def _tax(self, tax: Rate) -> dict[str, JSON]:
        return {
            "name": tax.name,
            "rate": exact(tax.rate),
            "source": tax.source,
            "amount": str(self.tax_amount),
        }


def settle(
    allocations: Sequence[Allocation],
    earlier: Mapping[str, int],
    charges: Sequence[Posted],
    others: Sequence[Other],
) -> Settled:
    """Out of which of its allocations a project paid this month. `earlier`: what invoices before this one say
    was drawn of each (by id, minor units): an allocation that is made later with an earlier begin does not
    change a month that is closed.

    Money that comes back (an `Other` below nothing) undoes what was spent last before it; what is more than
    that counts as paid in.
    """
    left = [_without(it, earlier.get(it.id, 0)) for it in allocations]
    paid = [(it.at, it.amount) for it in charges] + [(it.at, it.amount.minor) for it in others]
    spent = netted(paid)
    used = {id: minor for id, minor in drawn(left, spent).items() if minor}
    through = sum(minor for _, minor in spent)
    by_source = Counter({Source.PAYMENT: sum(minor for _, minor in paid) - through})
    for it in left:
        by_source[it.source] += used.get(it.id, 0)
    by_source[Source.CREDIT] += through - sum(used.values())
    return Settled(by_source, used)


def _without(it: Allocation, minor: int) -> Allocation:
    """The allocation less what was drawn before."""
    left = max(it.amount.minor - minor, it.returned)
    return replace(it, amount=Money(left, it.amount.currency))


def charge_document(it: Posted) -> dict[str, JSON]:
    """As invoices and bills have it."""
    return {
        "job": it.job,
        "job_name": it.job_name,
        "attempt": it.attempt,
        "n": it.n,
        "centre": it.centre,
        "offer": it.offer,
        "at": it.at,
        "lines": list(it.lines),
        "amount": it.money(it.amount),
        "overrun": it.money(it.overrun),
        "supported": it.money(it.supported),
        "shares": list(it.shares),
    }


def _also_in(rate: ExchangeRate, total: Money) -> dict[str, JSON]:
    return {
        "currency": rate.quote,
        "rate": exact(Fraction(rate.rate)),
        "on": rate.on.isoformat(),
        "source": rate.source,
        "total": str(rate.convert(total)),
    }
