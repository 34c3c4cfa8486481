"""Claims: what the payer of a pool owes for the shares that its vouchers paid in a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document, Posted
from baygrid.core.pricing.vouchers import Terms
from baygrid.core.reasons import JSON
from baygrid.core.units import Money, exact


@dataclass(frozen=True, slots=True)
class Supporter:
    """A pool: the clause that it is under, and who pays."""

    name: str
    payer: str
    rulebook: str
    clause: str
    currency: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A voucher as a claim shows it. `finding`: what was found of the organisation when it was issued, with
    the clause's `reference`."""

    id: str
    organisation: str
    terms: Terms
    finding: Mapping[str, JSON]

    def to_json(self) -> dict[str, JSON]:
        contract = self.terms.contract
        return {
            "id": self.id,
            "organisation": self.organisation,
            "rate": exact(self.terms.rate),
            "cap": str(self.terms.cap),
            "contract": None if contract is None else str(contract),
            "finding": dict(self.finding),
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """`charges`: of the whole month, of which it takes this pool's shares. `vouchers`: the pool's, by id.
    `invoices`: the number of each project's invoice of that month."""

    number: str
    pool: Supporter
    month: Month
    issued_at: int
    charges: Sequence[Posted]
    vouchers: Mapping[str, Issued]
    invoices: Mapping[str, str]

    @property
    def total(self) -> Money:
        return Money(sum(_paid(share) for _, share in self._shares()), self.pool.currency)

    def _shares(self) -> Iterator[tuple[Posted, Mapping[str, JSON]]]:
        for it in sorted(self.charges, key=lambda it: it.order):
            yield from ((it, share) for share in it.shares if share["pool"] == self.pool.name)

    def to_json(self) -> Document:
        shares = list(self._shares())
        used = [self.vouchers[id] for id in sorted({str(share["voucher"]) for _, share in shares})]
        return {
            "kind": "claim",
            "number": self.number,
            "pool": self.pool.name,
            "payer": self.pool.payer,
            "rulebook": self.pool.rulebook,
            "clause": self.pool.clause,
            "reference": next((it.finding["reference"] for it in used if "reference" in it.finding), None),
            "month": str(self.month),
            "from": self.month.start,
            "to": self.month.end,
            "issued_at": self.issued_at,
            "currency": self.pool.currency,
            "vouchers": [it.to_json() for it in used],
            "shares": [self._share(it, share) for it, share in shares],
            "total": str(self.total),
        }

    def _share(self, it: Posted, share: Mapping[str, JSON]) -> dict[str, JSON]:
        return {
            "voucher": share["voucher"],
            "project": it.project,
            "job": it.job,
            "attempt": it.attempt,
            "n": it.n,
            "at": it.at,
            "base": share["base"],
            "paid": share["paid"],
            "had": share["had"],
            "pool_left": share["pool_left"],
            "invoice": self.invoices[it.project],
        }


def _paid(share: Mapping[str, JSON]) -> int:
    paid = share["paid"]
    assert isinstance(paid, int), "as `vouchers.Share.to_json` wrote it"
    return paid
