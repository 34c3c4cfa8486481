"""Arrays in the store."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from baygrid.ports.records import ArrayRecord
from baygrid.ports.store import Conflict, Exists, Store, Tx


def array(number: int, **fields) -> ArrayRecord:
    given: dict[str, Any] = {"project": "demo", "name": "sweep", "size": 9, "parallel": 2, "left": 9} | fields
    return ArrayRecord(id=f"array-{number}", submitted_at=1_700_000_000_000, submitted_by="tok-1", **given)


def test_an_array_comes_back_as_it_was(store: Store):
    rows = [array(1, failed=2, version=3, waits_for=("job-1", "array-0")), array(2)]
    store.write(lambda tx: tx.arrays.insert(rows))
    found = {row.id: row for row in rows}
    assert store.read(lambda tx: tx.arrays.get(["array-1", "array-2", "array-3"])) == found
    assert store.write(lambda tx: tx.arrays.lock(["array-1", "array-2"])) == found
    assert store.read(lambda tx: tx.arrays.get([])) == {}
    with pytest.raises(Exists):
        store.write(lambda tx: tx.arrays.insert([array(1)]))


def test_ends_are_counted_down(store: Store):
    store.write(lambda tx: tx.arrays.insert([array(1)]))
    assert store.write(lambda tx: tx.arrays.count_down("array-1", 3, 1)) == array(
        1, left=6, failed=1, version=1
    )
    after = store.write(lambda tx: tx.arrays.count_down("array-1", 6, 0))
    assert (after.left, after.failed, after.version) == (0, 1, 2)


def test_an_update_needs_the_version_that_was_read(store: Store):
    store.write(lambda tx: tx.arrays.insert([array(1, waits_for=("job-1",))]))
    store.write(lambda tx: tx.arrays.update(array(1)))
    assert store.read(lambda tx: tx.arrays.get(["array-1"]))["array-1"] == array(1, version=1)
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.arrays.update(replace(array(1), version=7)))


def test_arrays_that_wait_are_found(store: Store):
    store.write(lambda tx: tx.arrays.insert([array(1, waits_for=("job-1", "job-2")), array(2)]))
    assert store.read(lambda tx: tx.jobs.waiters(["job-2", "job-3"])) == ["array-1"]


def page(project: str | None, before: str | None, tx: Tx) -> list[ArrayRecord]:
    return tx.arrays.page(project, before, 2)


def test_pages_are_newest_first(store: Store):
    rows = [array(number, project="demo" if number % 2 else "other") for number in range(6)]
    store.write(lambda tx: tx.arrays.insert(rows))
    for project, before, expected in (
        (None, None, ["array-5", "array-4"]),
        ("demo", None, ["array-5", "array-3"]),
        ("demo", "array-3", ["array-1"]),
        (None, "array-2", ["array-1", "array-0"]),
    ):
        found = store.read(partial(page, project, before))
        assert [row.id for row in found] == expected
