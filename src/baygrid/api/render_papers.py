"""Papers, closes, payments and rates as the JSON of the REST contract."""

from __future__ import annotations

from baygrid.api.render import Doc, instant, instant_or_none, money
from baygrid.app.closing import Closed
from baygrid.app.papers import Shown
from baygrid.app.statements import Balance, Statement
from baygrid.core.units import exact
from baygrid.ports.papers import CloseRow, DueRow, ExchangeRateRow, PaperRow, PaymentRow, RateRow


def line(row: PaperRow, due: DueRow) -> Doc:
    amounts = {
        "total": row.total,
        "due": due.due,
        "paid": due.paid,
        "forgiven": due.forgiven,
        "left": due.left,
        "credited": due.credited,
    }
    return {
        "kind": row.kind.value,
        "number": row.number,
        "month": row.month,
        "subject": row.subject,
        "issued_at": instant(row.issued_at),
        **{name: money(minor, row.currency) for name, minor in amounts.items()},
        "sha256": row.sha256,
        "regards": row.regards,
    }


def paper(shown: Shown) -> Doc:
    return {
        **line(shown.row, shown.due),
        "credit_notes": list(shown.notes),
        "document": shown.document,
    }


def close(row: CloseRow) -> Doc:
    return {
        "month": row.month,
        "until": instant(row.until),
        "closed_at": instant(row.closed_at),
        "closed_by": row.closed_by,
    }


def closed(it: Closed) -> Doc:
    return {
        "month": it.month,
        "closed_at": instant_or_none(it.closed_at),
        "papers": [line(row, due) for row, due in zip(it.papers, it.dues, strict=True)],
        "missing": list(it.missing),
    }


def payment(row: PaymentRow) -> Doc:
    return {
        "party": row.party.value,
        "subject": row.subject,
        "reference": row.reference,
        "number": row.number,
        "amount": money(row.amount, row.currency),
        "at": instant(row.at),
    }


def statement(it: Statement) -> Doc:
    def balance(of: Balance) -> Doc:
        return {"prepaid": money(of.prepaid, it.currency), "due": money(of.due, it.currency)}

    return {
        "project": it.project,
        "currency": it.currency,
        "from": instant(it.start),
        "to": instant(it.end),
        "opening": balance(it.opening),
        "movements": [
            {"at": instant(one.at), "what": one.what, "key": one.key, **balance(one.change)}
            for one in it.movements
        ],
        "closing": balance(it.closing),
    }


def rate(row: RateRow) -> Doc:
    it = row.rate
    return {
        "name": it.name,
        "rate": exact(it.rate),
        "since": str(it.since),
        "source": it.source,
        "set_at": instant(row.set_at),
    }


def exchange_rate(row: ExchangeRateRow) -> Doc:
    it = row.rate
    return {
        "base": it.base,
        "quote": it.quote,
        "rate": exact(it.rate),
        "on": it.on.isoformat(),
        "source": it.source,
        "set_at": instant(row.set_at),
    }
