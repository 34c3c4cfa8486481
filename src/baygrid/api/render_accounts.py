"""Accounts as the JSON of the REST contract."""

from __future__ import annotations

from baygrid.api.render import Doc, instant, instant_or_none, money
from baygrid.app.allocations import Standing
from baygrid.ports.basics import Instant


def allocation(standing: Standing, now: Instant) -> Doc:
    row, it = standing.row, standing.row.allocation
    currency = it.amount.currency
    return {
        "id": it.id,
        "project": it.project,
        "source": it.source.value,
        "state": "planned" if now < it.start else "ended" if it.ended(now) else "in force",
        "amount": money(it.amount.minor, currency),
        "used": money(standing.used, currency),
        "returned": money(it.returned, currency),
        "left": money(it.kept - standing.used, currency),
        "from": instant(it.start),
        "to": instant_or_none(it.end),
        "purpose": it.purpose,
        "made_at": instant(row.made_at),
        "application": row.application,
        "warned_days": row.warned,
    }
