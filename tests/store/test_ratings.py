"""Ratings of centres and what is planned of them: the newest counts, nothing is lost."""

from dataclasses import replace

import pytest

from baygrid.core.rating.value import Plan
from baygrid.ports.store import Exists, Store
from tests.core.ratings import AT, cpu_rating, rating
from tests.store.records import plan, rated


def test_the_newest_of_each_place_and_profile(store: Store):
    rows = [
        rated(rating("north")),
        rated(rating("north", measured_at=AT + 1)),
        rated(rating("north", profile="images@2")),
        rated(cpu_rating("north")),
        rated(rating("south")),
    ]
    for row in rows:
        assert store.write(lambda tx: tx.ratings.insert(row))  # noqa: B023 - at once
    newest = store.read(lambda tx: tx.ratings.newest())
    assert {id(row) for row in rows} - {id(rows[0])} == {
        id(row) for row in rows for found in newest if found == row
    }
    assert store.read(lambda tx: tx.ratings.of_centre("north"))[0] == rows[1]
    assert len(store.read(lambda tx: tx.ratings.of_centre("north"))) == 4


def test_one_of_the_same_time_stays_as_it_is(store: Store):
    first = rated(rating("north"))
    version = store.read(lambda tx: tx.region.version())
    assert store.write(lambda tx: tx.ratings.insert(first))
    assert store.read(lambda tx: tx.region.version()) == version + 1
    again = rated(rating("north", units=1.0))
    assert not store.write(lambda tx: tx.ratings.insert(again))
    assert store.read(lambda tx: tx.ratings.newest()) == [first]
    assert store.read(lambda tx: tx.region.version()) == version + 1


def test_the_last_plan_of_a_centre_counts(store: Store):
    row = plan()
    later = replace(row, plan=Plan("north", {"km": 7.0}), set_at=row.set_at + 1)
    for one in (later, row):
        store.write(lambda tx: tx.ratings.set_plan(one))  # noqa: B023 - at once
    assert store.read(lambda tx: tx.ratings.plans()) == {"north": later}
    with pytest.raises(Exists):
        store.write(lambda tx: tx.ratings.set_plan(row))
