"""Balances, the ledger, usage and charges in the store."""

import pytest

from baygrid.core.pricing.postings import Posting
from baygrid.core.units import Money
from baygrid.ports.store import Exists, Store
from tests.store.records import booking, charge, organise, usage


def balances(store: Store, name: str = "demo") -> tuple[int, int, int]:
    project = store.read(lambda tx: tx.region.projects([name]))[name]
    return project.granted, project.held, project.charged


def test_money_moves_only_while_enough_is_free(store: Store):
    store.write(lambda tx: organise(tx, granted=100))

    def move(**amounts):
        return store.write(lambda tx: tx.money.move("demo", **amounts))

    assert move(held=60)
    assert not move(held=41)
    assert move(held=40)
    assert balances(store) == (100, 100, 0)
    assert not move(charged=1)
    assert move(held=-60, charged=50)
    assert balances(store) == (100, 40, 50)
    assert not move(held=-41)
    assert not move(granted=-11)
    assert move(granted=-10)
    assert move(granted=1000, held=900)
    assert balances(store) == (1090, 940, 50)
    assert balances(store, "other") == (100, 0, 0)


def test_money_of_nobody(store: Store):
    with pytest.raises(KeyError):
        store.write(lambda tx: tx.money.move("nobody", held=1))


@pytest.mark.parametrize("amounts", [{"granted": 2**63}, {"held": -(2**70)}, {"charged": 2**62}])
def test_an_amount_beyond_all_bounds_does_not_move(store: Store, amounts):
    store.write(organise)
    assert not store.write(lambda tx: tx.money.move("demo", **amounts))


def test_large_amounts_are_exact(store: Store):
    store.write(lambda tx: organise(tx, granted=2**60))
    assert store.write(lambda tx: tx.money.move("demo", granted=2**60 + 1, held=2**60 + 3))
    assert balances(store) == (2**61 + 1, 2**60 + 3, 0)
    assert not store.write(lambda tx: tx.money.move("demo", held=2**60 - 1))
    assert store.write(lambda tx: tx.money.move("demo", held=2**60 - 2))


def test_the_ledger_keeps_what_was_posted(store: Store):
    given = [booking(number) for number in (2, 1, 3)]
    store.write(lambda tx: tx.money.post(given))
    store.write(lambda tx: tx.money.post([]))

    def page(after, limit):
        return store.read(lambda tx: tx.money.transactions(after, limit))

    assert page(None, 9) == sorted(given, key=lambda one: one.id)
    assert [one.id for one in page("led-000001", 1)] == ["led-000002"]
    assert store.read(lambda tx: tx.money.balances()) == {
        ("projects:demo", "CNY"): 270,
        ("centres:north", "CNY"): -267,
        ("platform", "CNY"): -3,
    }


def test_a_key_is_posted_once(store: Store):
    store.write(lambda tx: tx.money.post([booking(1)]))
    with pytest.raises(Exists):
        store.write(lambda tx: tx.money.post([booking(2), booking(3, key=booking(1).key)]))
    assert len(store.read(lambda tx: tx.money.transactions(None, 9))) == 1


def test_each_currency_must_balance(store: Store):
    off = (Posting("a", Money(5, "CNY")), Posting("b", Money(-5, "HKD")))
    with pytest.raises(ValueError, match="'CNY': 5"):
        store.write(lambda tx: tx.money.post([booking(1, postings=off)]))
    both = (*off, Posting("c", Money(-5, "CNY")), Posting("d", Money(5, "HKD")))
    store.write(lambda tx: tx.money.post([booking(1, postings=both)]))
    assert store.read(lambda tx: tx.money.transactions(None, 9))[0].postings == both


def test_a_usage_record_stays_as_it_came(store: Store):
    first = usage()
    store.write(lambda tx: tx.money.insert_usage([first, usage(n=1)]))
    store.write(
        lambda tx: tx.money.insert_usage([usage(stored_at=5000), usage("att-000000", stored_at=1999)])
    )
    store.write(lambda tx: tx.money.insert_usage([]))
    assert store.read(lambda tx: tx.money.usage_of(["att-000001"])) == [first, usage(n=1)]
    assert store.read(lambda tx: tx.money.usage_of([])) == []


def test_a_usage_record_is_charged_once(store: Store):
    rows = [charge(n=1, at=2000), charge(n=0), charge("att-000002", job="job-000002", at=1500)]
    store.write(lambda tx: tx.money.insert_charges(rows))
    with pytest.raises(Exists):
        store.write(lambda tx: tx.money.insert_charges([charge(n=2), charge(n=1)]))
    assert store.read(lambda tx: tx.money.charges("demo", 0, 9999)) == rows  # in the order of posting
    assert store.read(lambda tx: tx.money.charges("demo", 1000, 2000)) == rows[1:]
    assert store.read(lambda tx: tx.money.charges_of(["job-000001", "none"])) == rows[:2]
    assert store.read(lambda tx: tx.money.charges_of([])) == []
