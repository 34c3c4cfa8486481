"""Pools and vouchers in the store: what comes back, what is locked, what the tables refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from baygrid.core.pricing.vouchers import Drawn, Share, Terms, Voucher
from baygrid.core.units import Money
from baygrid.ports.records import Kind, Organisation, Project
from baygrid.ports.store import Exists, Store, Tx
from baygrid.ports.support import PoolRow, VoucherRow

POOL = PoolRow("region", "the bureau 深圳", "example", "compute-share", "CNY", 1_000, 0, 5, "tok-1")
TERMS = Terms(Fraction(2, 3), Money(700, "CNY"), Money(900, "CNY"), 10, 20)
FINDING = {"rulebook": "example", "facts": {"start_up": True}, "ceiling": "7.00 CNY"}


def voucher(id: str = "vch-1", **change: object) -> VoucherRow:
    row = VoucherRow(Voucher(id, "region", TERMS, Drawn()), "acme", None, 5, "tok-1", FINDING)
    return replace(row, **change)  # type: ignore[arg-type]


@pytest.fixture
def tables(store: Store) -> Store:
    def begin(tx: Tx) -> None:
        for name in ("acme", "uni"):
            tx.region.insert_organisation(Organisation(name, Kind.COMPANY, name))
        for project, organisation in (("demo", "acme"), ("more", "acme"), ("other", "uni")):
            tx.region.insert_project(Project(project, organisation, "CNY"))
        tx.support.insert_pool(POOL)

    store.write(begin)
    return store


def test_rows_come_back_as_they_went_in(tables: Store):
    rows = [voucher(), voucher("vch-2", project="demo"), voucher("vch-3", organisation="uni")]
    worth = replace(rows[1].voucher, terms=replace(TERMS, contract=None), drawn=Drawn(9, 6, 1))
    rows[1] = replace(rows[1], voucher=worth)
    for row in rows:
        tables.write(lambda tx, row=row: tx.support.insert_voucher(row))  # type: ignore[misc]
    assert tables.read(lambda tx: tx.support.pools()) == [POOL]
    assert tables.read(lambda tx: tx.support.vouchers()) == rows
    assert tables.read(lambda tx: tx.support.vouchers("uni")) == rows[2:]


def test_a_pool_is_there_once(tables: Store):
    with pytest.raises(Exists):
        tables.write(lambda tx: tx.support.insert_pool(POOL))


def test_each_project_finds_those_of_its_organisation_and_its_own(tables: Store):
    for row in (voucher(), voucher("vch-2", project="demo"), voucher("vch-3", organisation="uni")):
        tables.write(lambda tx, row=row: tx.support.insert_voucher(row))  # type: ignore[misc]
    found = tables.read(lambda tx: tx.support.of_projects(["other", "demo", "more", "demo", "absent"]))
    assert {name: [it.id for it in rows] for name, rows in found.items()} == {
        "demo": ["vch-1", "vch-2"], "more": ["vch-1"], "other": ["vch-3"], "absent": [],
    }  # fmt: skip


def test_what_is_spent_is_gone_and_seen_by_who_locks_next(tables: Store):
    tables.write(lambda tx: tx.support.insert_voucher(voucher()))

    def spend(tx: Tx) -> None:
        (it,), left = tx.support.lock([voucher().voucher, voucher().voucher])
        half = Share(it.id, it.pool, it.drawn, Drawn(300, 200, 0), left["region"])
        rest = Share(it.id, it.pool, half.after, Drawn(301, 200, 2), left["region"] - 200)
        tx.support.spend([half, rest])

    tables.write(spend)
    (it,), left = tables.write(lambda tx: tx.support.lock([voucher().voucher]))
    assert (it.drawn, left) == (Drawn(301, 200, 2), {"region": 800})


@pytest.mark.parametrize("after", [Drawn(900, 701, 0), Drawn(901, 600, 0), Drawn(900, -1, 0)])
def test_the_tables_refuse_more_than_the_terms(tables: Store, after: Drawn):
    tables.write(lambda tx: tx.support.insert_voucher(voucher()))
    share = Share("vch-1", "region", Drawn(), after, 1_000)
    with pytest.raises(Exception, match=r"(?i)constraint"):
        tables.write(lambda tx: tx.support.spend([share]))
    assert tables.read(lambda tx: tx.support.vouchers())[0].voucher.drawn == Drawn()


def test_the_tables_refuse_more_than_the_pool(tables: Store):
    rich = replace(voucher().voucher, terms=replace(TERMS, cap=Money(5_000, "CNY"), contract=None))
    tables.write(lambda tx: tx.support.insert_voucher(voucher(voucher=rich)))
    share = Share("vch-1", "region", Drawn(), Drawn(2_000, 1_001, 0), 1_001)
    with pytest.raises(Exception, match=r"(?i)constraint"):
        tables.write(lambda tx: tx.support.spend([share]))
    assert tables.read(lambda tx: tx.support.pools()) == [POOL]


def test_a_pool_grows_and_gives_back_what_is_left(tables: Store):
    assert tables.write(lambda tx: tx.support.add_to_pool("region", 5))
    assert tables.write(lambda tx: tx.support.add_to_pool("region", -1_005))
    assert not tables.write(lambda tx: tx.support.add_to_pool("region", -1))
    assert not tables.write(lambda tx: tx.support.add_to_pool("absent", 1))
    assert tables.write(lambda tx: tx.support.lock_pool("region")) == replace(POOL, amount=0)
    assert tables.write(lambda tx: tx.support.lock_pool("absent")) is None


def test_a_voucher_is_revoked_once_and_keeps_its_terms(tables: Store):
    tables.write(lambda tx: tx.support.insert_voucher(voucher()))
    assert tables.write(lambda tx: tx.support.revoke("vch-1", 15))
    assert not tables.write(lambda tx: tx.support.revoke("vch-1", 16))
    assert not tables.write(lambda tx: tx.support.revoke("absent", 15))
    assert tables.read(lambda tx: tx.support.vouchers()) == [voucher(revoked_at=15)]
    assert tables.read(lambda tx: tx.support.of_projects(["demo"])) == {"demo": []}
    found, _ = tables.write(lambda tx: tx.support.lock([voucher().voucher]))
    assert found == (), "who knew it before does not find it any more"


def test_an_organisation_is_locked_if_it_is_there(tables: Store):
    assert tables.write(lambda tx: tx.support.lock_organisation("acme"))
    assert not tables.write(lambda tx: tx.support.lock_organisation("absent"))
