"""Snapshots of shared tables in the store: one of each, made by one server at a time, gone when dropped."""

from dataclasses import replace
from functools import partial

import pytest

from baygrid.ports.reader import Column
from baygrid.ports.shares import Kind, SharedFile, SnapshotRow, State, Wanted
from baygrid.ports.store import Store, Tx
from tests.store.test_threads import together

COLUMNS = (Column("编号", "int64", False), Column("when", "date32[day]"))
COUNTED = Wanted("grn-1", Kind.ALL, "t" * 64, "", "f1", None)
DELTA = Wanted("grn-1", Kind.ALL, "t" * 64, "tbl", "7", 7)


def want(id: str, wanted: Wanted, tx: Tx) -> SnapshotRow:
    return tx.shares.want(id, wanted, COLUMNS, 5, 10)


def a_file(snapshot: str, n: int = 0) -> SharedFile:
    stats = {"numRecords": 3, "minValues": {"编号": 1}}
    return SharedFile(f"fil-{snapshot}-{n}", snapshot, n, "a" * 64, 100, 3, stats, "", 2)


def test_there_is_one_of_each(store: Store):
    first = store.write(partial(want, "snp-1", COUNTED))
    assert first == SnapshotRow("snp-1", COUNTED, 0, COLUMNS, State.WANTED, 5, 10, 10, 0, 0, "", "", 0)
    assert store.write(partial(want, "snp-2", COUNTED)) == first
    assert store.read(lambda tx: tx.shares.get("snp-2")) is None


def test_versions_of_tables_that_have_none_are_counted(store: Store):
    for number, fingerprint in enumerate(("f1", "f2", "f3")):
        made = store.write(partial(want, f"snp-{number}", replace(COUNTED, fingerprint=fingerprint)))
        assert made.number == number
    store.write(lambda tx: tx.shares.drop("snp-2", 20))
    store.write(lambda tx: tx.shares.forget("snp-2"))
    again = store.write(partial(want, "snp-9", replace(COUNTED, fingerprint="f3")))
    assert again.number == 3  # a number never comes back
    assert store.write(partial(want, "snp-d", DELTA)).number == 7
    assert store.write(partial(want, "snp-o", replace(COUNTED, grant="grn-2"))).number == 0
    numbers = [row.number for row in store.read(lambda tx: tx.shares.of_grant("grn-1"))]
    assert numbers == [0, 1, 3, 7]


def test_one_server_makes_it(store: Store):
    store.write(partial(want, "snp-1", COUNTED))
    store.write(partial(want, "snp-2", replace(COUNTED, fingerprint="f2")))
    mine = store.write(lambda tx: tx.shares.claim("a", 20, 50))
    assert mine is not None
    assert (mine.id, mine.holder, mine.until) == ("snp-1", "a", 50)
    theirs = store.write(lambda tx: tx.shares.claim("b", 20, 50))
    assert theirs is not None
    assert theirs.id == "snp-2"
    assert store.write(lambda tx: tx.shares.claim("c", 20, 50)) is None
    store.write(lambda tx: tx.shares.keep(["a", "z"], 90))
    late = store.write(lambda tx: tx.shares.claim("c", 60, 99))
    assert late is not None
    assert late.id == "snp-2"  # b is dead
    assert not store.write(lambda tx: tx.shares.finish("snp-2", "b", 61, [a_file("snp-2")]))
    assert store.write(lambda tx: tx.shares.finish("snp-2", "c", 62, [a_file("snp-2", 1), a_file("snp-2")]))
    ready = store.read(lambda tx: tx.shares.get("snp-2"))
    assert ready is not None
    assert (ready.state, ready.changed_at, ready.holder) == (State.READY, 62, "")
    assert store.read(lambda tx: tx.shares.files(["snp-2", "snp-1"])) == [a_file("snp-2"), a_file("snp-2", 1)]
    assert store.read(lambda tx: tx.shares.file("fil-snp-2-1")) == (a_file("snp-2", 1), ready)
    assert store.read(lambda tx: tx.shares.file("fil-none")) is None


def test_many_that_claim_at_once_get_one_each(store: Store):
    for number in range(8):
        store.write(partial(want, f"snp-{number}", replace(COUNTED, fingerprint=f"f{number}")))
    got: list[str] = []

    def work(holder: str) -> None:
        for n in range(8):  # a name claims anew what it has of before
            row = store.write(lambda tx, n=n: tx.shares.claim(f"{holder}-{n}", 20, 50))  # type: ignore[misc]
            if row is not None:
                got.append(row.id)

    assert together(*(partial(work, f"server-{n}") for n in range(8))) == []
    assert sorted(got) == [f"snp-{number}" for number in range(8)]


def test_what_a_maker_could_not_finish_it_claims_again(store: Store):
    for number in range(2):
        store.write(partial(want, f"snp-{number}", replace(COUNTED, fingerprint=f"f{number}")))
    for _ in range(2):
        row = store.write(lambda tx: tx.shares.claim("a", 20, 50))
        assert row is not None
        assert row.id == "snp-0"


def test_many_that_want_at_once_share_one_and_number_each(store: Store):
    def work(n: int) -> None:
        for fingerprint in ("f1", "f2", "f3"):
            store.write(partial(want, f"snp-{n}-{fingerprint}", replace(COUNTED, fingerprint=fingerprint)))

    assert together(*(partial(work, n) for n in range(8))) == []
    rows = store.read(lambda tx: tx.shares.of_grant("grn-1"))
    assert [row.number for row in rows] == [0, 1, 2]
    assert sorted(row.wanted.fingerprint for row in rows) == ["f1", "f2", "f3"]


def test_what_failed_may_be_asked_for_again(store: Store):
    store.write(partial(want, "snp-1", COUNTED))
    store.write(lambda tx: tx.shares.claim("a", 20, 50))
    assert not store.write(lambda tx: tx.shares.again("snp-1", 25))
    assert store.write(lambda tx: tx.shares.finish("snp-1", "a", 30, [], "the bucket is away"))
    failed = store.read(lambda tx: tx.shares.get("snp-1"))
    assert failed is not None
    assert (failed.state, failed.said) == (State.FAILED, "the bucket is away")
    assert store.write(lambda tx: tx.shares.claim("b", 40, 50)) is None
    assert store.write(lambda tx: tx.shares.again("snp-1", 41))
    assert store.write(lambda tx: tx.shares.claim("b", 42, 60)) is not None


def test_what_nobody_uses_goes_step_by_step(store: Store):
    for number in range(3):
        store.write(partial(want, f"snp-{number}", replace(COUNTED, fingerprint=f"f{number}")))
        store.write(lambda tx: tx.shares.claim("a", 20, 50))
        store.write(lambda tx, n=number: tx.shares.finish(f"snp-{n}", "a", 30, [a_file(f"snp-{n}")]))  # type: ignore[misc]
    store.write(lambda tx: tx.shares.use(["snp-1"], 90))
    assert [row.id for row in store.read(lambda tx: tx.shares.idle(40, 9))] == ["snp-0", "snp-2"]
    assert store.read(lambda tx: tx.shares.idle(40, 1))[0].id == "snp-0"
    store.write(lambda tx: tx.shares.drop("snp-0", 100))
    assert store.read(lambda tx: tx.shares.dropped(100, 9)) == []
    assert [row.id for row in store.read(lambda tx: tx.shares.dropped(101, 9))] == ["snp-0"]
    assert store.read(lambda tx: tx.shares.files(["snp-0"])) == [a_file("snp-0")]
    for id in ("snp-0", "snp-1"):
        store.write(lambda tx, id=id: tx.shares.forget(id))  # type: ignore[misc]
    assert store.read(lambda tx: tx.shares.get("snp-0")) is None
    assert store.read(lambda tx: tx.shares.dropped(101, 9)) == []
    assert store.read(lambda tx: tx.shares.files(["snp-0", "snp-1"])) == [a_file("snp-1")]


def test_what_was_handed_out_this_year_is_observed_once(store: Store):
    store.write(partial(want, "snp-1", COUNTED))
    store.write(partial(want, "snp-2", DELTA))
    store.write(lambda tx: tx.shares.serve(["snp-1"], 120))
    assert [row.id for row in store.read(lambda tx: tx.shares.unobserved(100, 9))] == ["snp-1"]
    assert store.read(lambda tx: tx.shares.unobserved(121, 9)) == []
    store.write(lambda tx: tx.shares.observed("snp-1", 130))
    store.write(lambda tx: tx.shares.serve(["snp-1"], 140))
    assert store.read(lambda tx: tx.shares.unobserved(100, 9)) == []
    assert [row.id for row in store.read(lambda tx: tx.shares.unobserved(135, 9))] == ["snp-1"]


@pytest.mark.parametrize("state", ["WANTED", "READY"])
def test_what_is_dropped_while_it_is_made_stays_dropped(store: Store, state: str):
    store.write(partial(want, "snp-1", COUNTED))
    store.write(lambda tx: tx.shares.claim("a", 20, 50))
    if state == "READY":
        store.write(lambda tx: tx.shares.finish("snp-1", "a", 30, []))
    store.write(lambda tx: tx.shares.drop("snp-1", 40))
    assert not store.write(lambda tx: tx.shares.finish("snp-1", "a", 45, [a_file("snp-1")]))
    assert store.read(lambda tx: tx.shares.files(["snp-1"])) == []
    assert store.write(partial(want, "snp-2", COUNTED)).id == "snp-2"
