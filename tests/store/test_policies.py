"""Placement policies in the store: by date, kept for ever, and a change is noticed."""

import pytest

from baygrid.ports.records import PolicyRecord
from baygrid.ports.store import Exists, Store
from tests.store.records import policy


def insert(store: Store, *rows: PolicyRecord) -> None:
    for row in rows:
        store.write(lambda tx: tx.policies.insert(row))  # noqa: B023 - it runs at once


def in_force(store: Store, now: int) -> PolicyRecord | None:
    return store.read(lambda tx: tx.policies.in_force(now))


def test_the_newest_that_has_begun_is_in_force(store: Store):
    first, last, between = policy(1, 1000), policy(2, 3000, reserve=2), policy(3, 2000, reserve=3)
    insert(store, first, last, between)
    assert in_force(store, 999) is None
    assert in_force(store, 1000) == first
    assert in_force(store, 2999) == between
    assert in_force(store, 3000) == last


def test_of_several_that_begin_at_once_the_last_one_counts(store: Store):
    insert(store, policy(1, 1000, reserve=1), policy(2, 1000, reserve=2))
    assert in_force(store, 1000) == policy(2, 1000, reserve=2)


def test_history_has_all_by_date(store: Store):
    assert store.read(lambda tx: tx.policies.history()) == []
    first, last, between = policy(1, 1000), policy(2, 3000, shares={"ä": 1}), policy(3, 2000)
    insert(store, first, last, between)
    assert store.read(lambda tx: tx.policies.history()) == [first, between, last]


def test_a_new_one_grows_the_regions_version(store: Store):
    before = store.read(lambda tx: tx.region.version())
    insert(store, policy(1))
    assert store.read(lambda tx: tx.region.version()) == before + 1


def test_an_id_is_taken_once(store: Store):
    insert(store, policy(1))
    with pytest.raises(Exists):
        insert(store, policy(1, 2000))
