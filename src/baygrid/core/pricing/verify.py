"""Whether a bundle is right: each charge computed anew from signed usage, tariffs and vouchers, and whatever
follows from the charges.

What cannot be seen from a bundle: how much of a charge lay above its job's hold, which vouchers there were
that paid nothing, and what else drew on a pool. The platform's signature stands for these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.recompute.bills import Billed, bill, settlement
from baygrid.core.pricing.recompute.claims import Invoices, claim
from baygrid.core.pricing.recompute.credit import credit_note
from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place, compared
from baygrid.core.pricing.recompute.evidence import Evidence, Holds
from baygrid.core.pricing.recompute.shares import Shares
from baygrid.core.pricing.recompute.values import Bill, Bundle, Claim, CreditNote, Key, Paper, Settlement
from baygrid.core.units import Money

__all__ = ["Checked", "Difference", "Holds", "checked", "first_difference"]


@dataclass(frozen=True, slots=True)
class Checked:
    """How much there was to check."""

    papers: int
    lines: int
    records: int
    shares: int


def checked(bundle: Bundle) -> Checked:
    bills = [paper for paper in bundle.papers if isinstance(paper, Bill)]
    charges = [charge for paper in bills for charge in paper.charges]
    return Checked(
        len(bundle.papers),
        sum(len(charge.lines) for charge in charges),
        len(bundle.usage),
        sum(len(charge.shares) for charge in charges),
    )


def first_difference(bundle: Bundle, holds: Holds, platform_key: str | None = None) -> Difference | None:
    """In the order of the document: its papers, their charges, then whether everything is charged and whether
    the platform signed this. `platform_key` (hex): by that key and no other."""
    return next(_differences(bundle, holds, platform_key), None)


def _differences(bundle: Bundle, holds: Holds, platform_key: str | None) -> Iterator[Difference]:
    """Good for the first one only: what is checked later rests on what was right before."""
    evidence = Evidence(bundle, holds)
    shares, invoices = Shares(bundle), Invoices(bundle.papers)
    seen: dict[Key, str] = {}
    bills = [paper for paper in bundle.papers if isinstance(paper, Bill)]
    billed = Billed(
        {charge.key: charge for paper in bills for charge in paper.charges},
        {other.key: (paper.project, other) for paper in bills for other in paper.others},
    )
    numbers: set[str] = set()
    claimed: set[tuple[str, Key]] = set()
    credited: dict[str, Money] = {}
    for paper in bundle.papers:
        place = Place(_name(paper))
        if place.paper in numbers:
            yield Difference(place, "a paper", f"{NOTHING}, since there is one of this number before")
        numbers.add(place.paper)
        yield from _month(place, paper)
        match paper:
            case Bill():
                yield from bill(place, paper, evidence, shares, seen)
            case Settlement():
                yield from settlement(place, paper, evidence, billed)
            case Claim():
                yield from claim(place, paper, bundle.vouchers, invoices, claimed)
            case CreditNote():
                yield from credit_note(place, paper, invoices, credited)
    yield from evidence.left()
    yield from _signed(bundle, holds, platform_key)


def _name(paper: Paper) -> str:
    match paper:
        case Bill(kind=kind, number="", project=project):
            return f"{kind} of {project}"
        case Bill(kind=kind, number=number):
            return f"{kind} {number}"
        case Settlement(number=number):
            return f"settlement {number}"
        case Claim(number=number):
            return f"claim {number}"
    return f"credit-note {paper.number}"


def _month(place: Place, paper: Paper) -> Iterator[Difference]:
    """A paper of a month is of all of it; a credit note is of the month in which it was issued."""
    if paper.month is None:
        return
    if isinstance(paper, CreditNote):
        yield from compared(place / "month", paper.month, str(Month.of(paper.issued_at)))
        return
    try:
        month = Month.parse(paper.month)
    except ValueError as error:
        yield Difference(place / "month", paper.month, f"a month: {error}")
        return
    yield from compared(place / "from", paper.start, month.start)
    yield from compared(place / "to", paper.end, month.end)


def _signed(bundle: Bundle, holds: Holds, platform_key: str | None) -> Iterator[Difference]:
    signed, place = bundle.signed, Place(part="signed")
    if platform_key is not None and signed.public_key != platform_key:
        yield Difference(place / "public key", signed.public_key, f"{platform_key}, as demanded")
    if not holds(signed.public_key, signed.signature, bundle.data):
        what = "the one that the platform signed"
        yield Difference(place / "signature", "a file that it is not over", what)
