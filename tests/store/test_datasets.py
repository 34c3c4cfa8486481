"""Datasets in the store: versions that never change, listed by who may read them."""

import pytest

from baygrid.ports.records import DatasetRecord
from baygrid.ports.store import Exists, Store
from tests.store.records import dataset


def insert(store: Store, *rows: DatasetRecord) -> None:
    for row in rows:
        store.write(lambda tx: tx.datasets.insert(row))  # noqa: B023 - it runs at once


def page(store: Store, projects: list[str] | None, after=("", ""), limit=10, *, shared=True) -> list[str]:
    rows = store.read(lambda tx: tx.datasets.page(projects, after, limit, shared=shared))
    return [row.ref.removeprefix("dataset:") for row in rows]


def test_versions(store: Store):
    first = dataset(1, job="job-1", made_by="att-1", lineage=("dataset:demo/raw@1", "s3://b/k"))
    second = dataset(2, sha256=None, bytes=None, shared=True)
    insert(store, first, second)
    assert store.read(lambda tx: tx.datasets.newest("demo", "photos")) == second
    assert store.read(lambda tx: tx.datasets.get("demo", "photos", 1)) == first
    assert store.read(lambda tx: tx.datasets.versions("demo", "photos")) == [first, second]
    assert store.read(lambda tx: tx.datasets.newest("other", "photos")) is None
    assert store.read(lambda tx: tx.datasets.get("demo", "photos", 3)) is None


def test_a_version_is_made_once(store: Store):
    insert(store, dataset(1))
    with pytest.raises(Exists):
        insert(store, dataset(1, uri="s3://other/"))


def test_lists_have_the_newest_that_may_be_read(store: Store):
    insert(store, dataset(1), dataset(2), dataset(1, "alpha"), dataset(1, "zeta", project="mine"))
    insert(store, dataset(1, "open", project="other", shared=True), dataset(1, "closed", project="other"))
    insert(store, *(dataset(n, "withdrawn", project="other", shared=n == 1) for n in (1, 2)))
    own = ["demo/alpha@1", "demo/photos@2"]
    assert page(store, ["demo"], shared=False) == own
    assert page(store, ["demo"]) == [*own, "other/open@1"]
    assert page(store, ["demo", "mine"]) == [*own, "mine/zeta@1", "other/open@1"]
    everything = [*own, "mine/zeta@1", "other/closed@1", "other/open@1", "other/withdrawn@2"]
    assert page(store, None) == everything
    assert page(store, None, limit=2) == own
    assert page(store, None, ("demo", "photos")) == everything[2:]
