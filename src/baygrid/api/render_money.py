"""Bills and the ledger as the JSON of the REST contract."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.api.render import Doc, decimal, instant, items, money
from baygrid.app.bill import Bill, BillLine, BillShare, Spared
from baygrid.core.pricing.papers import Other
from baygrid.core.pricing.postings import Transaction
from baygrid.core.units import Money
from baygrid.ports.support import PoolRow, VoucherRow


def bill(row: Bill) -> Doc:
    doc: Doc = {
        "project": row.project,
        "currency": row.currency,
        "from": instant(row.start),
        "to": instant(row.end),
        "lines": list(map(_bill_line, row.lines)),
        "shares": [_share(share, row.currency) for share in row.shares],
        "others": list(map(_other, row.others)),
        "supported": money(sum(share.share["paid"] for share in row.shares), row.currency),
        "not_charged": list(map(_spared, row.spared)),
        "total": money(row.total, row.currency),
        "overrun": money(row.overrun, row.currency),
    }
    if row.differences is not None:
        found = [{"attempt": each.attempt, "n": each.n, "what": each.what} for each in row.differences]
        doc["recomputed"] = {"lines": len(row.lines), "differences": found}
    return doc


def _spared(row: Spared) -> Doc:
    return {
        "job": row.job,
        "attempt": row.attempt,
        "centre": row.centre,
        "started_at": instant(row.started_at),
        "ended_at": instant(row.ended_at),
        "why": row.why,
    }


def _bill_line(row: BillLine) -> Doc:
    amount = Money.parse(row.line["amount"])
    return {
        "job": row.job,
        "name": row.job_name,
        "attempt": row.attempt,
        "n": row.n,
        "centre": row.centre,
        "offer": row.offer,
        "item": row.line["item"],
        "quantity": row.line["quantity"],
        "unit": row.line["unit"],
        "rate": row.line["rate"],
        "amount": money(amount.minor, amount.currency),
        "trade": row.line.get("trade"),
        "from": instant(row.line["from"]),
        "to": instant(row.line["to"]),
    }


def _other(row: Other) -> Doc:
    return {
        "what": row.what,
        "centre": row.centre,
        "at": instant(row.at),
        "amount": money(row.amount.minor, row.amount.currency),
        "key": row.key,
    }


def _share(row: BillShare, currency: str) -> Doc:
    return {
        "job": row.job,
        "attempt": row.attempt,
        "n": row.n,
        "voucher": row.share["voucher"],
        "pool": row.share["pool"],
        "base": money(row.share["base"], currency),
        "paid": money(row.share["paid"], currency),
    }


def pool(row: PoolRow) -> Doc:
    return {
        **{key: getattr(row, key) for key in ("name", "payer", "rulebook", "clause")},
        **{key: money(getattr(row, key), row.currency) for key in ("amount", "paid", "left")},
        "made_at": instant(row.made_at),
    }


def voucher(row: VoucherRow) -> Doc:
    it, terms = row.voucher, row.voucher.terms
    currency = terms.cap.currency
    return {
        "id": it.id,
        "organisation": row.organisation,
        "project": row.project,
        "pool": it.pool,
        "rulebook": row.finding["rulebook"],
        "clause": row.finding["clause"],
        "reference": row.finding["reference"],
        "rate": decimal(terms.rate),
        "cap": money(terms.cap.minor, currency),
        "contract": None if terms.contract is None else money(terms.contract.minor, currency),
        "supported": money(it.drawn.base, currency),
        "paid": money(it.drawn.paid, currency),
        "left": money(terms.cap.minor - it.drawn.paid, currency),
        "from": instant(terms.valid_from),
        "until": instant(terms.valid_until),
        "issued_at": instant(row.issued_at),
        "finding": row.finding,
    }


def transaction(row: Transaction) -> Doc:
    return {
        "id": row.id,
        "key": row.key,
        "at": instant(row.at),
        "narration": row.narration,
        "postings": [
            {"account": p.account, "amount": money(p.money.minor, p.money.currency)} for p in row.postings
        ],
        "sources": list(row.sources),
    }


def balances(rows: Mapping[tuple[str, str], int]) -> Doc:
    return items(
        {"account": account, "balance": money(minor, currency)}
        for (account, currency), minor in sorted(rows.items())
    )
