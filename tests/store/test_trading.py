"""Listings and trades in the store: what is sold and settled is decided by the database."""

from __future__ import annotations

from fractions import Fraction

import pytest

from baygrid.core.pricing.contracts import UNIT_HOUR, Cover, Kind, Terms
from baygrid.ports.store import Exists, Store
from baygrid.ports.trading import ListingRow, Return, TradeRow
from tests.store.records import attempt, charge, offer, organise


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


def test_what_is_taken_never_passes_what_was_bought_and_comes_back(store: Store):
    store.write(lambda tx: tx.trading.insert_trade(trade()))  # 4 units, 30 unit-hours

    def take(units: int, worth: int) -> bool:
        return store.write(lambda tx: tx.trading.take("trade-1", Kind.COMMITTED, units, worth))

    assert take(3000, 20 * UNIT_HOUR)
    assert not take(1001, 1)
    assert not take(1, 10 * UNIT_HOUR + 1)
    assert take(1000, 10 * UNIT_HOUR)
    back = Return("trade-1", Kind.COMMITTED, 3000, 20 * UNIT_HOUR, 5 * UNIT_HOUR, 166)
    store.write(lambda tx: tx.trading.give_back([back]))
    (row,) = store.read(lambda tx: tx.trading.trades())
    assert (row.taken, row.booked, row.drawn, row.charged) == (1000, 10 * UNIT_HOUR, 5 * UNIT_HOUR, 166)
    assert row.held == 10_00 - 166
    (opened,) = store.read(lambda tx: tx.trading.open())
    assert (opened.project, opened.units, opened.worth, opened.size) == ("demo", 3000, 15 * UNIT_HOUR, 4000)
    assert store.write(lambda tx: tx.trading.settle("trade-1", 9000)) is None  # an attempt has some of it


def test_spot_is_taken_up_to_its_quantity(store: Store):
    store.write(lambda tx: tx.trading.insert_listing(listing(2, Kind.SPOT)))

    def take(units: int) -> bool:
        return store.write(lambda tx: tx.trading.take("listing-2", Kind.SPOT, units, 10**15))

    assert take(9500)
    assert not take(501)
    assert take(500)
    assert not store.write(lambda tx: tx.trading.close("listing-2", 9000))
    store.write(lambda tx: tx.trading.give_back([Return("listing-2", Kind.SPOT, 10_000, 5)]))
    (opened,) = store.read(lambda tx: tx.trading.open())
    assert (opened.of, opened.project, opened.units, opened.worth) == ("listing-2", None, 10_000, None)
    assert store.write(lambda tx: tx.trading.close("listing-2", 9000))
    assert store.read(lambda tx: tx.trading.open()) == []
    assert not take(1)


def test_what_an_attempt_and_a_charge_had_of_trades_is_kept(store: Store):
    cover = Cover("trade-1", Kind.RESERVED, 1500, 3_600_000, Fraction(1, 3), 8, 65_536)
    store.write(lambda tx: tx.attempts.insert([attempt(1, covers=(cover,))]))
    store.write(lambda tx: tx.money.insert_charges([charge(covers=(cover.to_json(),))]))
    found = store.read(lambda tx: tx.attempts.get(["att-000001"]))["att-000001"]
    assert found.covers == (cover,)
    store.write(lambda tx: tx.attempts.update([found]))
    assert store.read(lambda tx: tx.attempts.live())[0].covers == (cover,)
    (row,) = store.read(lambda tx: tx.money.charges_of(["job-000001"]))
    assert list(map(Cover.of_json, row.covers)) == [cover]
