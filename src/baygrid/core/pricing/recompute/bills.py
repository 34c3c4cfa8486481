"""Charges and sums of bills, invoices and settlements.

Each check yields in the order of the document and is given up at its first difference: what follows may rest
on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from baygrid.core.pricing.charge import Charge, Line
from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place, compared
from baygrid.core.pricing.recompute.evidence import Evidence
from baygrid.core.pricing.recompute.shares import Shares
from baygrid.core.pricing.recompute.values import Bill, Earned, Key, Other, PostedCharge, Settlement
from baygrid.core.units import Money, exact


def bill(
    place: Place, paper: Bill, evidence: Evidence, shares: Shares, seen: dict[Key, str]
) -> Iterator[Difference]:
    """`seen`: of each charge the paper that has it, to which this one's are added."""
    for charge in paper.charges:
        at = Place(place.paper, charge.job, charge.attempt, charge.n)
        yield from _once(at, charge.key, seen)
        yield from _within(at, charge, paper)
        yield from evidence.differences(at, charge, charge.centre, paper.project)
        record, cost = evidence.record(charge.key), evidence.cost(charge.key)
        yield from compared(at / "offer", charge.offer, record.offer)
        yield from _lines(at, charge.lines, cost.lines)
        yield from _whole(at, charge, cost)
        yield from shares.of_charge(at, charge, record, paper.project)
    yield from _sums(place, paper)


@dataclass(frozen=True, slots=True)
class Billed:
    """What the bills of a file have, by usage record, and by key of the ledger with whose bill it is."""

    charges: Mapping[Key, PostedCharge]
    others: Mapping[str, tuple[str, Other]]


def settlement(place: Place, paper: Settlement, evidence: Evidence, bills: Billed) -> Iterator[Difference]:
    """`bills`: of the same file."""
    seen: dict[Key, str] = {}
    for charge in paper.charges:
        at = Place(place.paper, charge.job, charge.attempt, charge.n)
        yield from _once(at, charge.key, seen)
        yield from _within(at, charge, paper)
        yield from evidence.differences(at, charge, paper.centre, charge.project)
        cost = evidence.cost(charge.key)
        yield from compared(at / "total", charge.total, cost.total)
        yield from _whole(at, charge, cost)
        if (billed := bills.charges.get(charge.key)) is not None:
            for part in ("amount", "overrun", "supported"):
                yield from compared(at / part, getattr(charge, part), getattr(billed, part))
    for number, other in enumerate(paper.others, 1):
        yield from compared(place / f"other {number}, currency", other.amount.currency, paper.currency)
        if other.key in bills.others:
            project, known = bills.others[other.key]
            yield from compared(place / f"other {number}, project", other.project, project)
            for part in ("what", "at", "amount"):
                here = place / f"other {number}, {part}"
                yield from compared(here, getattr(other, part), getattr(known, part))
    amounts = [it.total for it in paper.charges] + [it.amount for it in paper.others]
    gross = _sum(amounts, paper.currency)
    fee = Money.of(paper.fee.rate * gross.amount, paper.currency)
    yield from compared(place / "gross", paper.gross, gross)
    yield from compared(place / "fee", paper.fee.amount, fee)
    yield from compared(place / "payable", paper.payable, gross - fee)


def _once(at: Place, key: Key, seen: dict[Key, str]) -> Iterator[Difference]:
    if key in seen:
        yield Difference(at, "a charge", f"nothing, since {seen[key]} has this charge")
    seen[key] = at.paper


def _within(at: Place, charge: PostedCharge | Earned, paper: Bill | Settlement) -> Iterator[Difference]:
    if not paper.start <= charge.at < paper.end:
        yield Difference(at / "at", str(charge.at), f"a time from {paper.start} to before {paper.end}")
    for part in ("amount", "overrun", "supported"):
        yield from compared(at / f"{part}, currency", getattr(charge, part).currency, paper.currency)


def _lines(at: Place, stand: Iterable[Line], right: Iterable[Line]) -> Iterator[Difference]:
    for number, (was, should) in enumerate(zip_longest(stand, right), 1):
        it = was or should
        here = at / f"line {number} ({it.item})"
        if was is None or should is None:
            yield Difference(here, _told(was), _told(should))
            return
        for part in ("item", "quantity", "unit", "rate", "amount", "start_ms", "end_ms", "trade"):
            word = {"start_ms": "from", "end_ms": "to"}.get(part, part)
            yield from compared(here / word, getattr(was, part), getattr(should, part))


def _told(line: Line | None) -> str:
    return NOTHING if line is None else f"{exact(line.quantity)} {line.unit} for {line.amount}"


def _whole(at: Place, charge: PostedCharge | Earned, cost: Charge) -> Iterator[Difference]:
    """Who pays: project, platform and vouchers together pay what it costs."""
    if charge.amount + charge.overrun + charge.supported != cost.total:
        parts = f"{charge.amount}, overrun {charge.overrun} and supported {charge.supported}"
        yield Difference(at / "amount", parts, f"{cost.total} in all")


def _sums(place: Place, paper: Bill) -> Iterator[Difference]:
    currency = paper.currency
    amounts = [it.amount for it in paper.charges] + [it.amount for it in paper.others]
    for number, other in enumerate(paper.others, 1):
        yield from compared(place / f"other {number}, currency", other.amount.currency, currency)
    subtotal = _sum(amounts, currency)
    yield from compared(place / "subtotal", paper.subtotal, subtotal)
    yield from compared(
        place / "supported", paper.supported, _sum((it.supported for it in paper.charges), currency)
    )
    yield from compared(
        place / "overrun", paper.overrun, _sum((it.overrun for it in paper.charges), currency)
    )
    total = subtotal
    if paper.tax is not None:
        tax = Money.of(paper.tax.rate * subtotal.amount, currency)
        yield from compared(place / "tax", paper.tax.amount, tax)
        total += tax
    yield from compared(place / "total", paper.total, total)
    if paper.settled is not None:
        for source, money in paper.settled.items():
            yield from compared(place / f"settled, {source}, currency", money.currency, currency)
        yield from compared(place / "settled", _sum(paper.settled.values(), currency), subtotal)
        yield from compared(place / "due", paper.due, paper.settled["credit"] + total - subtotal)
    if (also := paper.also_in) is not None:
        yield from compared(place / "also in", also.total, Money.of(total.amount * also.rate, also.currency))


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    return sum(amounts, Money.zero(currency))
