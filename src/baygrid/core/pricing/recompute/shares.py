"""What vouchers paid: each share from what its voucher and its pool had, and a voucher's shares in a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from baygrid.core.pricing.recompute.difference import Difference, Place, compared
from baygrid.core.pricing.recompute.values import (
    Bill,
    Bundle,
    PostedCharge,
    PostedShare,
    Record,
    VoucherTerms,
)
from baygrid.core.pricing.vouchers import Drawn, Terms, draw
from baygrid.core.units import Money

Where = tuple[str, int, str]
"""(attempt, n, voucher)."""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One share, and what it leaves. `row`: the paper that has all of its voucher's from its first to its
    last one, "" where others may lie between."""

    where: Where
    had: Drawn
    after: Drawn
    row: str


class Shares:
    """The shares of a bundle's bills. `had` is right where it is what the share before it left; where shares
    may lie between that are not in the bundle, what can have come of it."""

    def __init__(self, bundle: Bundle) -> None:
        self._vouchers = bundle.vouchers
        self._wrong: dict[Where, str] = {}
        drawings: dict[str, dict[Where, _Drawing]] = defaultdict(dict)
        for paper in bundle.papers:
            if isinstance(paper, Bill):
                for it in self._drawings(paper):
                    drawings[it.where[2]].setdefault(it.where, it)
        for voucher, found in drawings.items():
            self._wrong |= _wrong(self._vouchers[voucher].terms, found.values())

    def _drawings(self, paper: Bill) -> Iterator[_Drawing]:
        for charge in paper.charges:
            left = charge.amount.minor + charge.supported.minor
            for share in charge.shares:
                it = self._vouchers.get(share.voucher)
                if it is not None:
                    after = draw(it.terms, share.had, max(left, 0), share.pool_left)
                    row = "" if it.project is None else f"{paper.kind} {paper.number}"
                    yield _Drawing((*charge.key, share.voucher), share.had, after, row)
                left -= share.base

    def of_charge(
        self, at: Place, charge: PostedCharge, record: Record, project: str
    ) -> Iterator[Difference]:
        left = charge.amount.minor + charge.supported.minor
        currency = charge.amount.currency
        for number, share in enumerate(charge.shares, 1):
            here = at / f"share {number} (voucher {share.voucher})"
            it = self._vouchers.get(share.voucher)
            if it is None:
                yield Difference(here / "voucher", share.voucher, "a voucher that is in this file")
                return
            yield from _fits(here, share, it, record, project, currency)
            if (right := self._wrong.get((*charge.key, share.voucher))) is not None:
                yield Difference(here / "had", _drawn(share.had), right)
            after = draw(it.terms, share.had, left, share.pool_left)
            yield from compared(
                here / "base", Money(share.base, currency), Money(after.base - share.had.base, currency)
            )
            yield from compared(
                here / "paid", Money(share.paid, currency), Money(after.paid - share.had.paid, currency)
            )
            left -= share.base
        paid = sum(share.paid for share in charge.shares)
        yield from compared(at / "supported", charge.supported, Money(paid, currency))


def _fits(
    here: Place, share: PostedShare, it: VoucherTerms, record: Record, project: str, currency: str
) -> Iterator[Difference]:
    yield from compared(here / "pool", share.pool, it.pool)
    yield from compared(here / "voucher, currency", it.terms.cap.currency, currency)
    if it.project is not None:
        yield from compared(here / "voucher, project", it.project, project)
    if not it.terms.cover(record.used.start_ms, record.used.end_ms):
        times = f"usage from {record.used.start_ms} to {record.used.end_ms}"
        right = f"usage from {it.terms.valid_from} to {it.terms.valid_until}"
        yield Difference(here / "voucher, validity", times, right)


def _drawn(it: Drawn) -> str:
    return f"base {it.base}, paid {it.paid}, carry {it.carry}"


def _wrong(terms: Terms, drawings: Iterable[_Drawing]) -> dict[Where, str]:
    """Of one voucher: by the place of a share what it ought to have had."""
    found = {}
    drawings = sorted(drawings, key=lambda it: (it.had.base, it.after.base))
    for it in drawings:
        if not _possible(terms, Drawn(), it.had):
            found[it.where] = "what shares within the voucher's terms can come to"
    for one, two in pairwise(drawings):
        if one.after == two.had:
            continue
        if two.had.base <= one.after.base or (one.row and one.row == two.row):
            found[two.where] = (
                f"{_drawn(one.after)}, as the share of attempt {one.where[0]}, usage {one.where[1]} left"
            )
        elif not _possible(terms, one.after, two.had):
            found[two.where] = f"what shares after {_drawn(one.after)} can come to"
    return found


def _possible(terms: Terms, before: Drawn, after: Drawn) -> bool:
    """Whether shares between the two can have led from one to the other: no limit is passed, the carry is
    less than a minor unit, and never more is earned than the rate of what was supported."""
    part, whole = terms.rate.numerator, terms.rate.denominator
    within = after.paid <= terms.cap.minor and (terms.contract is None or after.base <= terms.contract.minor)
    earned = (after.paid - before.paid) * whole + after.carry - before.carry
    return (
        within
        and after.carry < whole
        and after.paid >= before.paid
        and earned <= part * (after.base - before.base)
    )
