"""Bills and the ledger as the JSON of the REST contract."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.api.render import Doc, instant, items, money
from baygrid.app.bill import Bill, BillLine
from baygrid.core.pricing.postings import Transaction
from baygrid.core.units import Money


def bill(row: Bill) -> Doc:
    doc: Doc = {
        "project": row.project,
        "currency": row.currency,
        "from": instant(row.start),
        "to": instant(row.end),
        "lines": list(map(_bill_line, row.lines)),
        "total": money(row.total, row.currency),
        "overrun": money(row.overrun, row.currency),
    }
    if row.differences is not None:
        found = [{"attempt": each.attempt, "n": each.n, "what": each.what} for each in row.differences]
        doc["recomputed"] = {"lines": len(row.lines), "differences": found}
    return doc


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
        "from": instant(row.line["from"]),
        "to": instant(row.line["to"]),
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
