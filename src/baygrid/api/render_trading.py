"""Listings and trades as the JSON of the REST contract."""

from __future__ import annotations

from fractions import Fraction

from baygrid.api.render import Doc, decimal, instant, instant_or_none, money
from baygrid.core.pricing.contracts import UNIT, UNIT_HOUR
from baygrid.core.units import exact
from baygrid.ports.trading import ListingRow, TradeRow


def listing(row: ListingRow) -> Doc:
    it = row.terms
    return {
        "id": row.id,
        "kind": it.kind,
        "offer": it.offer,
        "centre": row.centre,
        "currency": it.currency,
        "rate": decimal(it.rate),
        "cpus": it.cpus,
        "memory_mib": it.memory_mib,
        "from": instant(it.start),
        "to": instant(it.end),
        "quantity": row.quantity,
        "sold": row.sold,
        "left": row.left,
        "taken": exact(Fraction(row.taken, UNIT)),
        "published_at": instant(row.published_at),
        "closed_at": instant_or_none(row.closed_at),
    }


def trade(row: TradeRow) -> Doc:
    it = row.terms
    return {
        "id": row.id,
        "listing": it.listing,
        "project": row.project,
        "kind": it.kind,
        "offer": it.offer,
        "centre": row.centre,
        "rate": decimal(it.rate),
        "from": instant(it.start),
        "to": instant(it.end),
        "units": row.units,
        "hours": row.hours,
        "used_hours": exact(Fraction(row.drawn, UNIT_HOUR)),
        "taken": exact(Fraction(row.taken, UNIT)),
        "amount": money(row.amount, it.currency),
        "charged": money(row.charged, it.currency),
        "nodes": list(row.nodes),
        "bought_at": instant(row.bought_at),
        "settled_at": instant_or_none(row.settled_at),
    }
