"""Credit notes against the invoices of the same file that they are of."""

from __future__ import annotations

from collections.abc import Iterator

from baygrid.core.pricing.recompute.claims import Invoices
from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place, compared
from baygrid.core.pricing.recompute.values import CreditNote
from baygrid.core.units import Money


def credit_note(
    place: Place, paper: CreditNote, invoices: Invoices, before: dict[str, Money]
) -> Iterator[Difference]:
    """`before`: what notes before this one took back of each invoice; it is added. Its tax is a floor
    over all of them, as by `core.pricing.credit.credited`."""
    currency = paper.currency
    for part in ("amount", "forgiven", "returned"):
        yield from compared(place / f"{part}, currency", getattr(paper, part).currency, currency)
    yield from compared(place / "amount", paper.amount, paper.forgiven + paper.returned)
    invoice = invoices.of(paper.invoice)
    if invoice is None:
        yield Difference(place / "invoice", paper.invoice or NOTHING, "an invoice that is in this file")
        return
    yield from compared(place / "project", paper.project, invoice.project)
    yield from compared(place / "currency", currency, invoice.currency)
    earlier = before.get(paper.invoice, Money.zero(currency))
    through = before[paper.invoice] = earlier + paper.amount
    if through > invoice.total:
        yield Difference(place / "amount", str(paper.amount), f"{invoice.total - earlier} at most")
    if paper.tax is None or invoice.tax is None or not invoice.total.minor:
        yield from compared(place / "tax", paper.tax, invoice.tax)
        return
    tax, whole = invoice.tax.amount.minor, invoice.total.minor
    right = through.minor * tax // whole - earlier.minor * tax // whole
    yield from compared(place / "tax", paper.tax.amount, Money(right, currency))
