"""Who pays what usage cost: the project within its hold, vouchers their share of that, the platform the
rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baygrid.core.jobs.spec import NO_VOUCHER, VOUCHER
from baygrid.core.pricing.postings import Transaction, charge_postings
from baygrid.core.pricing.vouchers import Purse, Share, Voucher
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx
from baygrid.ports.usage import ChargeRow


@dataclass(frozen=True, slots=True)
class Due:
    """A charge before vouchers: its `amount` is all that fits the hold. For usage in [start, end); `voucher`:
    as in the job file."""

    charge: ChargeRow
    narration: str
    start: Instant
    end: Instant
    voucher: str


def voucher_of(spec: Mapping[str, Any]) -> str:
    """Of a job file's document."""
    named: str = spec.get("budget", {}).get("voucher", VOUCHER)
    return named


def usable(vouchers: Iterable[Voucher], currency: str, voucher: str) -> list[Voucher]:
    """Of these the ones that may pay in `currency` for a job whose file says `voucher`."""
    if voucher == NO_VOUCHER:
        return []
    paying = [it for it in vouchers if it.terms.cap.currency == currency and not it.used_up]
    return [it for it in paying if voucher in (VOUCHER, it.id)]


def purse_of(tx: Tx, project: str, currency: str, voucher: str) -> Purse:
    """What a project may draw on now, to tell what a job would cost it; nothing is locked."""
    left = {row.name: row.left for row in tx.support.pools()}
    return Purse(tuple(usable(tx.support.of_projects([project])[project], currency, voucher)), left)


def charge(tx: Tx, dues: Sequence[Due]) -> Counter[str]:
    """Writes charges and postings; returns what each project pays. Vouchers that may pay are locked before
    anything is decided by what is left of them, so that no two transactions spend the same money."""
    paid: Counter[str] = Counter()
    if not dues:
        return paid
    mine = _vouchers(tx, dues)
    purse = Purse(*tx.support.lock([it for found in mine for it in found]))
    charges: list[ChargeRow] = []
    transactions: list[Transaction] = []
    spent: list[Share] = []
    for due, found in zip(dues, mine, strict=True):
        among = {it.id for it in found}
        shares, purse = purse.pay(due.charge.amount, due.start, due.end, among)
        spent += shares
        row = _divided(due.charge, shares)
        paid[row.project] += row.amount
        charges.append(row)
        if row.transaction:
            transactions.append(_transaction(row, due.narration, shares))
    tx.support.spend(spent)
    tx.money.insert_charges(charges)
    tx.money.post(transactions)
    return paid


def _vouchers(tx: Tx, dues: Sequence[Due]) -> list[list[Voucher]]:
    """Of each due the vouchers that may pay for it, as they were at some moment."""
    known = tx.support.of_projects({due.charge.project for due in dues if due.charge.amount})
    found = [usable(known.get(it.charge.project, ()), it.charge.currency, it.voucher) for it in dues]
    return [
        [one for one in mine if one.terms.cover(it.start, it.end)]
        for it, mine in zip(dues, found, strict=True)
    ]


def _divided(row: ChargeRow, shares: Sequence[Share]) -> ChargeRow:
    supported = sum(share.paid for share in shares)
    told = tuple(share.to_json() for share in shares)
    return replace(row, amount=row.amount - supported, supported=supported, shares=told)


def _transaction(row: ChargeRow, narration: str, shares: Collection[Share]) -> Transaction:
    pools: Counter[str] = Counter()
    for share in shares:
        pools[share.pool] += share.paid
    postings = charge_postings(
        row.project,
        row.centre,
        Money(row.amount, row.currency),
        Money(row.overrun, row.currency),
        {pool: Money(minor, row.currency) for pool, minor in pools.items()},
    )
    key = f"charge:{row.attempt}:{row.n}"
    return Transaction(row.transaction, key, row.at, narration, postings, (f"usage:{row.attempt}:{row.n}",))
