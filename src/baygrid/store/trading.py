"""Listings and trades. What is sold, and what is taken of it, grows by conditional updates only."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import ColumnElement, and_, or_, select, update

from baygrid.core.pricing.contracts import UNIT, Kind, Terms
from baygrid.ports.basics import Instant
from baygrid.ports.trading import ListingRow, Open, Return, TradeRow
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.money_tables import listings, trades
from baygrid.store.offers import GROW
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import offers

_L, _T = listings.c, trades.c
_INSERT_LISTING = insert_new(listings)
_INSERT_TRADE = insert_new(trades)
_TERMS: tuple[ColumnElement[object], ...] = (
    _L.id, _L.kind, _L.offer, _L.currency, _L.rate, _L.cpus, _L.memory_mib, _L.start, _L.end, offers.c.centre,
)  # fmt: skip
_LISTING_ROWS = (
    select(*_TERMS, _L.quantity, _L.published_at, _L.published_by, _L.sold, _L.taken, _L.closed_at)
    .join_from(listings, offers, _L.offer == offers.c.id)
    .order_by(_L.id.desc())
)
_LISTINGS = Statement(_LISTING_ROWS)
_LISTING = Statement(_LISTING_ROWS.where(_L.id == text("key")))
_SELL = Statement(
    update(listings)
    .where(_L.id == text("key"), _L.sold + number("more") <= _L.quantity, _L.closed_at.is_(None))
    .values(sold=_L.sold + number("more"))
)
_CLOSE = Statement(
    update(listings)
    .where(_L.id == text("key"), _L.closed_at.is_(None), _L.taken == 0)
    .values(closed_at=number("at"))
)
# A reservation can only be bought before it begins; what else is listed is there until its end.
_OVER = Statement(
    _LISTING_ROWS.where(
        _L.closed_at.is_(None),
        _L.taken == 0,
        or_(_L.end <= number("now"), and_(_L.kind == Kind.RESERVED.value, _L.start <= number("now"))),
    )
)
_TRADE_ROWS = (
    select(
        *_TERMS,
        _T.id,
        _T.project,
        _T.units,
        _T.worth,
        _T.amount,
        _T.nodes,
        _T.bought_at,
        _T.bought_by,
        _T.taken,
        _T.booked,
        _T.drawn,
        _T.charged,
        _T.settled_at,
    )
    .join_from(trades, listings, _T.listing == _L.id)
    .join(offers, _L.offer == offers.c.id)
    .order_by(_T.id.desc())
)
_TRADES = Statement(_TRADE_ROWS)
_OF_PROJECT = Statement(_TRADE_ROWS.where(_T.project == text("of")))
_TRADE = Statement(_TRADE_ROWS.where(_T.id == text("key")))
_ENDED = Statement(_TRADE_ROWS.where(_T.settled_at.is_(None), _T.taken == 0, _L.end <= number("now")))
_SETTLE = Statement(
    update(trades)
    .where(_T.id == text("key"), _T.settled_at.is_(None), _T.taken == 0)
    .values(settled_at=number("at"))
)
_OPEN_TRADES = Statement(_TRADE_ROWS.where(_T.settled_at.is_(None)))
_OPEN_SPOT = Statement(_LISTING_ROWS.where(_L.closed_at.is_(None), _L.kind == Kind.SPOT.value))
_TAKE = Statement(
    update(trades)
    .where(
        _T.id == text("key"),
        _T.settled_at.is_(None),
        _T.taken + number("more") <= 1000 * _T.units,
        _T.drawn + _T.booked + number("more_worth") <= _T.worth,
    )
    .values(taken=_T.taken + number("more"), booked=_T.booked + number("more_worth"))
)
_TAKE_SPOT = Statement(
    update(listings)
    .where(_L.id == text("key"), _L.closed_at.is_(None), _L.taken + number("more") <= 1000 * _L.quantity)
    .values(taken=_L.taken + number("more"))
)
_GIVE_BACK = Statement(
    update(trades)
    .where(_T.id == text("key"))
    .values(
        taken=_T.taken - number("less"),
        booked=_T.booked - number("less_worth"),
        drawn=_T.drawn + number("drew"),
        charged=_T.charged + number("more_charged"),
    )
)
_GIVE_BACK_SPOT = Statement(
    update(listings).where(_L.id == text("key")).values(taken=_L.taken - number("less"))
)


def _terms(row: Row) -> tuple[Terms, str]:
    """And the centre."""
    listing, kind, offer, currency, rate, cpus, memory_mib, start, end, centre = row
    terms = Terms(listing, Kind(kind), offer, currency, Fraction(rate), cpus, memory_mib, start, end)
    return terms, centre


def _listing(row: Row) -> ListingRow:
    return ListingRow(*_terms(row[:10]), *row[10:])


def _trade(row: Row) -> TradeRow:
    terms, centre = _terms(row[:10])
    id, project, units, worth, amount, nodes, *rest = row[10:]
    return TradeRow(id, terms, centre, project, units, worth, amount, tuple(loads(nodes)), *rest)


class Trading:
    """Implements `ports.trading.Trading`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_listing(self, row: ListingRow) -> None:
        it = row.terms
        params = {
            "id": it.listing,
            "kind": it.kind.value,
            "offer": it.offer,
            "currency": it.currency,
            "rate": str(it.rate),
            "cpus": it.cpus,
            "memory_mib": it.memory_mib,
            "start": it.start,
            "end": it.end,
            "quantity": row.quantity,
            "sold": row.sold,
            "taken": row.taken,
            "published_at": row.published_at,
            "published_by": row.published_by,
            "closed_at": row.closed_at,
        }
        insert_all_or_raise(self._session, _INSERT_LISTING, [params], f"a listing {it.listing!r}")
        self._session.change(GROW, {})

    def listings(self) -> list[ListingRow]:
        return [_listing(row) for row in self._session.all(_LISTINGS, {})]

    def listing(self, id: str) -> ListingRow | None:
        return next((_listing(row) for row in self._session.all(_LISTING, {"key": id})), None)

    def sell(self, listing: str, units: int) -> bool:
        self._session.change(GROW, {})  # one purchase after the other: whoever chooses nodes sees all others'
        return bool(self._session.change(_SELL, {"key": listing, "more": units}))

    def close(self, listing: str, at: Instant) -> bool:
        return bool(self._session.change(_CLOSE, {"key": listing, "at": at}))

    def insert_trade(self, row: TradeRow) -> None:
        params = {
            "id": row.id,
            "listing": row.terms.listing,
            "project": row.project,
            "units": row.units,
            "worth": row.worth,
            "amount": row.amount,
            "nodes": dumps(row.nodes),
            "bought_at": row.bought_at,
            "bought_by": clean(row.bought_by),
            "taken": row.taken,
            "booked": row.booked,
            "drawn": row.drawn,
            "charged": row.charged,
            "settled_at": row.settled_at,
        }
        insert_all_or_raise(self._session, _INSERT_TRADE, [params], f"a trade {row.id!r}")

    def trades(self, project: str | None = None) -> list[TradeRow]:
        if project is None:
            return [_trade(row) for row in self._session.all(_TRADES, {})]
        return [_trade(row) for row in self._session.all(_OF_PROJECT, {"of": project})]

    def settle(self, trade: str, at: Instant) -> TradeRow | None:
        if not self._session.change(_SETTLE, {"key": trade, "at": at}):
            return None
        return _trade(self._session.all(_TRADE, {"key": trade})[0])

    def open(self) -> list[Open]:
        rows = [_trade(row) for row in self._session.all(_OPEN_TRADES, {})]
        found = [
            Open(
                it.id,
                it.terms,
                it.project,
                it.units * UNIT - it.taken,
                it.worth - it.drawn - it.booked,
                it.units * UNIT,
            )
            for it in rows
        ]
        found += [
            Open(it.id, it.terms, None, it.quantity * UNIT - it.taken, None, it.quantity * UNIT)
            for it in map(_listing, self._session.all(_OPEN_SPOT, {}))
        ]
        return sorted(found, key=lambda it: it.of)

    def take(self, of: str, kind: Kind, units: int, worth: int) -> bool:
        if kind is Kind.SPOT:
            return bool(self._session.change(_TAKE_SPOT, {"key": of, "more": units}))
        return bool(self._session.change(_TAKE, {"key": of, "more": units, "more_worth": worth}))

    def give_back(self, returns: Sequence[Return]) -> None:
        for it in sorted(returns, key=lambda it: it.of):
            if it.kind is Kind.SPOT:
                self._session.change(_GIVE_BACK_SPOT, {"key": it.of, "less": it.units})
                continue
            params = {
                "key": it.of,
                "less": it.units,
                "less_worth": it.booked,
                "drew": it.drew,
                "more_charged": it.charged,
            }
            self._session.change(_GIVE_BACK, params)

    def due(self, now: Instant) -> tuple[list[ListingRow], list[TradeRow]]:
        over = [_listing(row) for row in self._session.all(_OVER, {"now": now})]
        return over, [_trade(row) for row in self._session.all(_ENDED, {"now": now})]
