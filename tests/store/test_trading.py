"""Listings and trades in the store: what is sold and settled is decided by the database."""

from __future__ import annotations

from fractions import Fraction

import pytest

from baygrid.core.pricing.contracts import UNIT_HOUR, Kind, Terms
from baygrid.ports.store import Exists, Store
from baygrid.ports.trading import ListingRow, TradeRow
from tests.store.records import offer, organise


def listing(number: int = 1, kind: Kind = Kind.COMMITTED) -> ListingRow:
    terms = Terms(f"listing-{number}", kind, offer().id, "CNY", Fraction(1, 3), 8, 65_536, 1000, 5000)
    return ListingRow(terms, "north", 10, 900, "tok-operator")


def trade(number: int = 1, of: ListingRow | None = None) -> TradeRow:
    terms = (of or listing()).terms
    rest = (4, 30 * UNIT_HOUR, 10_00, ("n1", "n2"), 950, "tok-team")
    return TradeRow(f"trade-{number}", terms, "north", "demo", *rest)


@pytest.fixture
def store(store: Store) -> Store:
    store.write(organise)
    store.write(lambda tx: tx.region.insert_offer(offer()))
    store.write(lambda tx: tx.trading.insert_listing(listing()))
    return store


def test_rows_come_back_as_they_were_written(store: Store):
    store.write(lambda tx: tx.trading.insert_trade(trade()))
    store.write(lambda tx: tx.trading.insert_trade(trade(2)))
    assert store.read(lambda tx: tx.trading.listings()) == [listing()]
    assert store.read(lambda tx: tx.trading.listing("listing-1")) == listing()
    assert store.read(lambda tx: tx.trading.listing("none")) is None
    assert store.read(lambda tx: tx.trading.trades()) == [trade(2), trade(1)]
    assert store.read(lambda tx: tx.trading.trades("other")) == []
    with pytest.raises(Exists):
        store.write(lambda tx: tx.trading.insert_listing(listing()))


def test_what_is_sold_never_passes_the_quantity(store: Store):
    version = store.read(lambda tx: tx.region.version())
    assert store.write(lambda tx: tx.trading.sell("listing-1", 7))
    assert not store.write(lambda tx: tx.trading.sell("listing-1", 4))
    assert store.write(lambda tx: tx.trading.sell("listing-1", 3))
    assert store.read(lambda tx: tx.region.version()) > version
    assert not store.write(lambda tx: tx.trading.sell("none", 1))


def test_a_closed_listing_sells_nothing_and_closes_once(store: Store):
    assert store.write(lambda tx: tx.trading.close("listing-1", 6000))
    assert not store.write(lambda tx: tx.trading.close("listing-1", 7000))
    assert not store.write(lambda tx: tx.trading.sell("listing-1", 1))
    (row,) = store.read(lambda tx: tx.trading.listings())
    assert row.closed_at == 6000


def test_what_is_over_is_due_until_it_is_closed(store: Store):
    store.write(lambda tx: tx.trading.insert_listing(listing(2, Kind.RESERVED)))
    store.write(lambda tx: tx.trading.insert_trade(trade()))

    def due(now: int) -> tuple[list[str], list[str]]:
        over, ended = store.read(lambda tx: tx.trading.due(now))
        return [row.id for row in over], [row.id for row in ended]

    assert due(999) == ([], [])
    assert due(1000) == (["listing-2"], [])
    assert due(5000) == (["listing-2", "listing-1"], ["trade-1"])
    store.write(lambda tx: tx.trading.close("listing-2", 1000))
    row = store.write(lambda tx: tx.trading.settle("trade-1", 5000))
    assert row is not None
    assert (row.settled_at, row.held) == (5000, 0)
    assert store.write(lambda tx: tx.trading.settle("trade-1", 5001)) is None
    assert due(9000) == (["listing-1"], [])


def test_amounts_are_those_of_their_period(store: Store):
    reserved = listing(2, Kind.RESERVED)
    store.write(lambda tx: tx.trading.insert_listing(reserved))
    store.write(lambda tx: tx.trading.insert_trade(trade(1)))
    store.write(lambda tx: tx.trading.insert_trade(trade(2, reserved)))
    store.write(lambda tx: tx.trading.settle("trade-1", 5000))

    def keys(start: int, end: int, **of: str) -> list[str]:
        return [it.key for it in store.read(lambda tx: tx.trading.amounts(start, end, **of))]

    assert keys(0, 6000) == ["trade:trade-2", "commitment:trade-1"]
    assert keys(951, 5000) == []
    assert keys(950, 951) == ["trade:trade-2"]
    assert keys(0, 6000, project="other") == keys(0, 6000, centre="south") == []
