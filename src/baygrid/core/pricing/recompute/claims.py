"""Claims to the payers of pools: each share as an invoice of the same file has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place, compared
from baygrid.core.pricing.recompute.values import (
    Bill,
    Claim,
    ClaimedShare,
    ClaimedVoucher,
    Key,
    PostedCharge,
    PostedShare,
    VoucherTerms,
)
from baygrid.core.units import Money


class Invoices:
    """The charges of a file's bills, by number of the paper and of the usage record."""

    def __init__(self, papers: tuple[object, ...]) -> None:
        self._bills = {paper.number: paper for paper in papers if isinstance(paper, Bill) and paper.number}
        self._charges: dict[tuple[str, Key], PostedCharge] = {
            (bill.number, charge.key): charge for bill in self._bills.values() for charge in bill.charges
        }

    def of(self, number: str) -> Bill | None:
        return self._bills.get(number)

    def charge(self, number: str, key: Key) -> PostedCharge | None:
        return self._charges.get((number, key))


def claim(
    place: Place,
    paper: Claim,
    vouchers: Mapping[str, VoucherTerms],
    invoices: Invoices,
    seen: set[tuple[str, Key]],
) -> Iterator[Difference]:
    """`seen`: shares that claims before this one have, to which its own are added."""
    named = {it.id: it for it in paper.vouchers}
    for it in paper.vouchers:
        yield from _voucher(place / f"voucher {it.id}", paper, it, vouchers.get(it.id))
    for share in paper.shares:
        at = Place(place.paper, share.job, share.attempt, share.n) / f"share of voucher {share.voucher}"
        if share.voucher not in named:
            yield Difference(at / "voucher", share.voucher, "a voucher that this claim names")
        if (share.voucher, share.key) in seen:
            yield Difference(at, "a share", f"{NOTHING}, since it is claimed before")
        seen.add((share.voucher, share.key))
        yield from _share(at, paper, share, invoices)
    yield from _rows(place, paper)
    total = Money(sum(share.paid for share in paper.shares), paper.currency)
    yield from compared(place / "total", paper.total, total)


def _voucher(at: Place, paper: Claim, it: ClaimedVoucher, right: VoucherTerms | None) -> Iterator[Difference]:
    if right is None:
        yield Difference(at, it.id, "a voucher that is in this file")
        return
    yield from compared(at / "pool", right.pool, paper.pool)
    yield from compared(at / "organisation", it.organisation, right.organisation)
    yield from compared(at / "rate", it.rate, right.terms.rate)
    yield from compared(at / "cap", it.cap, right.terms.cap)
    yield from compared(at / "contract", it.contract, right.terms.contract)


def _share(at: Place, paper: Claim, share: ClaimedShare, invoices: Invoices) -> Iterator[Difference]:
    invoice = invoices.of(share.invoice)
    charge = invoices.charge(share.invoice, share.key)
    if invoice is None or charge is None:
        what = "an invoice" if invoice is None else "one with this charge"
        yield Difference(at / "invoice", share.invoice or NOTHING, f"{what} that is in this file")
        return
    yield from compared(at / "project", share.project, invoice.project)
    yield from compared(at / "job", share.job, charge.job)
    yield from compared(at / "at", share.at, charge.at)
    if not paper.start <= share.at < paper.end:
        yield Difference(at / "at", str(share.at), f"a time from {paper.start} to before {paper.end}")
    yield from compared(at / "currency", paper.currency, invoice.currency)
    mine = (it for it in charge.shares if it.voucher == share.voucher)
    posted: PostedShare | None = next(mine, None)
    if posted is None:
        yield Difference(at, "a share", f"{NOTHING}: invoice {share.invoice} has none of this voucher")
        return
    for part in ("base", "paid", "had", "pool_left"):
        yield from compared(at / part, getattr(share, part), getattr(posted, part))


def _rows(place: Place, paper: Claim) -> Iterator[Difference]:
    """A claim has all shares of its month: each begins where its voucher's last one ended, so that none is
    left out between two. What it paid and carried on is the invoice's, where it is checked."""
    rows: dict[str, list[ClaimedShare]] = defaultdict(list)
    for share in paper.shares:
        rows[share.voucher].append(share)
    for found in rows.values():
        for one, two in pairwise(sorted(found, key=lambda it: it.had.base)):
            at = Place(place.paper, two.job, two.attempt, two.n) / f"share of voucher {two.voucher}"
            yield from compared(at / "had, base", two.had.base, one.had.base + one.base)
            yield from compared(at / "had, paid", two.had.paid, one.had.paid + one.paid)
