"""Parties and tables in the store: versions that never change; wishes that are counted once each."""

from functools import partial
from typing import Any

import pytest

from baygrid.core.data.labels import Labels
from baygrid.ports.data import PartyRow, TableRow, WishRow
from baygrid.ports.reader import Format
from baygrid.ports.store import Exists, Store, Tx
from tests.store.records import data_table, party
from tests.store.test_threads import together


def insert_party(row: PartyRow, tx: Tx) -> None:
    tx.catalogue.insert_party(row)


def insert_table(row: TableRow, tx: Tx) -> None:
    tx.catalogue.insert_table(row)


def wish(key: str, text: str, project: str, at: int, tx: Tx) -> None:
    tx.catalogue.wish(key, text, project, at)


def test_parties_have_versions(store: Store):
    pilot = {"parent": "Acme HK Ltd", "registered": "CN-QH", "scope": ["health"], "from": 1, "until": 9}
    rows = [party(), party(version=2, pilot=pilot), party("beta", facts={})]
    for row in rows:
        store.write(partial(insert_party, row))
    assert store.read(lambda tx: tx.catalogue.party("acme")) == rows[1]
    assert store.read(lambda tx: tx.catalogue.party("none")) is None
    assert store.read(lambda tx: tx.catalogue.parties()) == rows[1:]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.catalogue.insert_party(party(version=2)))


def test_tables_have_versions(store: Store):
    plain: dict[str, Any] = {
        "format": Format.PARQUET,
        "secret": None,
        "confirmed_by": None,
        "labels": {},
        "open": True,
    }
    rows = [
        data_table(),
        data_table(version=2, **plain),
        data_table(name="rides", labels={"age": Labels()}),
        data_table("other"),
    ]
    for row in rows:
        store.write(partial(insert_table, row))
    assert store.read(lambda tx: tx.catalogue.table("demo", "patients")) == rows[1]
    assert store.read(lambda tx: tx.catalogue.table("demo", "none")) is None
    assert store.read(lambda tx: tx.catalogue.tables()) == rows[1:]
    assert store.read(lambda tx: tx.catalogue.tables(["other", "none"])) == rows[3:]
    assert store.read(lambda tx: tx.catalogue.tables([])) == []
    with pytest.raises(Exists):
        store.write(lambda tx: tx.catalogue.insert_table(data_table(title="another")))


def test_wishes_are_counted(store: Store):
    for at, (text, project) in enumerate([("Rides", "demo"), ("rides", "uni"), ("RIDES", "demo")], 10):
        store.write(partial(wish, "rides", text, project, at))
    store.write(lambda tx: tx.catalogue.wish("病人", "病人", "demo", 20))
    assert store.read(lambda tx: tx.catalogue.wishes()) == [
        WishRow("Rides", 3, 2, 10, 12),
        WishRow("病人", 1, 1, 20, 20),
    ]


def test_wishes_at_once_are_all_counted(store: Store):
    def work(number: int) -> None:
        for at in range(10):
            store.write(partial(wish, "rides", "rides", f"p{number % 2}", at))

    assert together(*(partial(work, number) for number in range(8))) == []
    [row] = store.read(lambda tx: tx.catalogue.wishes())
    assert (row.times, row.projects) == (80, 2)
