"""The audit in the store: one chain, whoever appends; what somebody altered in the tables is found."""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baygrid.core.data.chain import START, End, Flaw, Link, What, check
from baygrid.ports.data import Sought
from baygrid.ports.records import Event
from baygrid.ports.store import Store, Tx
from baygrid.store import open_store
from tests.store.records import contract_of_data, organise
from tests.store.test_threads import together


def append(tx: Tx, at: int, contract: str | None = None, project: str | None = None) -> None:
    tx.audit.append(at, "read", {"行": at, "by": ["a", None, 1.5]}, contract=contract, project=project)


def append_all(tx: Tx, *links: tuple[int, str | None, str | None]) -> None:
    for link in links:
        append(tx, *link)


def appended(store: Store, at: int) -> Link:
    store.write(lambda tx: append(tx, at, "con-1", "demo"))
    return chain(store)[-1]


def chain(store: Store, number: int = 10_000) -> list[Link]:
    return store.read(lambda tx: tx.audit.after(0, number))


def test_links_come_back_as_they_were_made(store: Store):
    assert store.read(lambda tx: tx.audit.end()) == START
    made = [appended(store, at) for at in range(3)]
    assert chain(store) == made
    assert [link.n for link in made] == [1, 2, 3]
    end = store.read(lambda tx: tx.audit.end())
    assert end == End(3, made[2].hash)
    assert check(chain(store), end=end).flaw is None
    assert chain(store, 2) == made[:2]
    assert store.read(lambda tx: tx.audit.after(2, 9)) == made[2:]


def test_foreign_text_is_chained_as_it_is_stored(store: Store):
    data = {"name": "深圳\0\ud800", "deep": ({"z": 1, "a": (2, 3)},)}

    def work(tx: Tx) -> None:
        tx.audit.append(1, "read", data, contract="c\0", project="\ud800")
        tx.audit.append(2, "read\0", {**data, "\0": "\\u0000"}, contract=None, project="深")

    store.write(lambda tx: tx.audit.append(1, "read", data, contract="c\0", project="\ud800"))
    store.write(work)
    first, again, other = links = chain(store)
    assert check(links).flaw is None
    assert (again.contract, again.project, again.data) == (first.contract, first.project, first.data)
    assert (other.contract, other.project, other.data["deep"]) == (None, "深", [{"z": 1, "a": [2, 3]}])


def test_links_by_contract_and_by_whose_they_are(store: Store):
    store.write(organise)
    store.write(contract_of_data)  # demo and lab are its sides
    row = store.read(lambda tx: tx.contracts.get("contract-1"))
    assert row is not None
    asked = [(row.id, None), ("con-2", "b"), (None, row.provider), (row.id, row.consumer), (None, None)]
    store.write(lambda tx: append_all(tx, *((1, *each) for each in asked)))

    def newest(before: int | None = None, limit: int = 9, **whose: Any) -> list[int]:
        return [link.n for link in store.read(lambda tx: tx.audit.newest(before, limit, **whose))]

    assert [link.n for link in store.read(lambda tx: tx.audit.after(0, 9, contract=row.id))] == [1, 4]
    assert [link.n for link in store.read(lambda tx: tx.audit.after(1, 9, contract=row.id))] == [4]
    assert newest() == [5, 4, 3, 2, 1]
    assert newest(4, 2) == [3, 2]
    assert newest(contract=row.id) == [4, 1]
    assert newest(project=row.provider) == [4, 3, 1]
    assert newest(project=row.consumer) == [4, 1]
    assert newest(4, project=row.consumer) == [1]
    assert newest(project="b") == [2]
    assert newest(project="b", contract=row.id) == []
    for project, own in ((row.provider, {1, 3, 4}), (row.consumer, {1, 4}), ("b", {2}), ("c", set())):
        assert store.read(lambda tx: tx.audit.own(0, 5, project)) == own  # noqa: B023 - it runs at once
    assert store.read(lambda tx: tx.audit.own(1, 3, row.provider)) == {3}


def test_links_are_found_by_who_what_and_when(store: Store):
    def work(tx: Tx) -> None:
        tx.audit.append(10, "token-issued", {"token": "tok-1", "by": "usr-1"}, contract=None, project="demo")
        tx.audit.append(20, "token-revoked", {"token": "tok-1", "by": 'a"b%'}, contract=None, project="lab")
        tx.audit.append(30, "signed-in", {"user": "usr-1"}, contract=None, project=None)
        told = {"user": "usr-1", "by": "usr-2"}
        tx.audit.append(40, "membership-set", told, contract="con-1", project=None)
        tx.audit.append(50, "table-added", {"deep": ["深圳", "token-1"]}, contract=None, project="demo")

    def found(project: str | None = None, before: int | None = None, **asked: Any) -> list[int]:
        sought = Sought(**asked)
        links = store.read(lambda tx: tx.audit.newest(before, 9, project=project, sought=sought))
        return [link.n for link in links]

    store.write(work)
    assert found() == [5, 4, 3, 2, 1]
    assert found(kind="token-") == [2, 1], "how it begins"
    assert found(kind="issued") == []
    assert found(by="usr-1") == [3, 1], "of the membership somebody else decided"
    assert found(by="usr-2") == [4]
    assert found(by='a"b%') == [2]
    assert found(by="a%") == []
    assert found(about="tok-1") == [2, 1], "a whole name"
    assert found(about="TOK-1") == []
    assert found(about="demo") == [5, 1]
    assert found(about="con-1") == [4]
    assert found(about="深圳") == [5]
    assert found(since=20, until=40) == [3, 2]
    assert found(until=0) == []
    assert found(before=3, about="tok-1", kind="token-issued", by="usr-1") == [1]
    assert found("demo", kind="token-") == [1], "nothing of others, whatever is asked"


def test_a_transaction_that_fails_leaves_no_gap(store: Store):
    def fail(tx: Tx) -> None:
        append(tx, 1)
        raise ZeroDivisionError

    store.write(lambda tx: append(tx, 0))
    with pytest.raises(ZeroDivisionError):
        store.write(fail)
    store.write(lambda tx: append(tx, 2))
    assert [(link.n, link.at) for link in chain(store)] == [(1, 0), (2, 2)]
    assert check(chain(store)).flaw is None


def test_what_is_appended_is_a_link_when_all_else_of_its_transaction_is_done(store: Store):
    def work(tx: Tx) -> End:
        append(tx, 1)
        tx.events.append([Event(1, "told", "demo")])
        append(tx, 2)
        return tx.audit.end()

    assert store.write(work) == START
    assert [(link.n, link.at) for link in chain(store)] == [(1, 1), (2, 2)]
    with pytest.raises(RuntimeError, match="may not write"):
        store.read(lambda tx: append(tx, 3))
    assert store.read(lambda tx: tx.audit.end()).n == 2


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_nobody_waits_for_a_transaction_that_has_appended_and_goes_on(store: Store):
    def work(tx: Tx) -> None:
        append(tx, 1)
        assert together(lambda: store.write(lambda other: append(other, 2))) == []

    store.write(work)
    assert [(link.n, link.at) for link in chain(store)] == [(1, 2), (2, 1)]


def test_sixteen_that_append_at_once_make_one_chain(store: Store, url: str, database: str):
    """On PostgreSQL from two servers."""
    stores = [store, open_store(url)] if database == "postgresql" else [store]

    def work(number: int) -> None:
        for turn in range(20):
            mine = stores[number % len(stores)]
            mine.write(lambda tx: append_all(tx, (turn, None, None), (turn, None, None)))  # noqa: B023

    assert together(*(partial(work, number) for number in range(16))) == []
    links = chain(store)
    assert len(links) == 16 * 20 * 2
    assert check(links, end=store.read(lambda tx: tx.audit.end())).flaw is None
    for other in stores[1:]:
        other.close()


# Somebody with the database's file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Five links, and no triggers."""
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    times = (100, 150, 200, 250, 300)
    store.write(lambda tx: append_all(tx, *((at, "con-1", "demo") for at in times)))
    store.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
    return tmp_path / "a.db"


def wrong(store: Store) -> Flaw | None:
    end = store.read(lambda tx: tx.audit.end())
    return check(chain(store), end=end).flaw


def test_each_byte_of_a_stored_link_that_is_altered_is_found_and_placed(file: Path):
    store, other = open_store(f"sqlite:///{file}"), sqlite3.connect(file, isolation_level=None)
    texts = ("kind", "contract", "project", "data", "salt", "previous", "hash")
    assert {"n", "at", *texts} == {row[1] for row in other.execute("PRAGMA table_info(audit)")}
    found: set[str] = set()
    for name in texts:
        [(kept,)] = other.execute(f"SELECT CAST({name} AS BLOB) FROM audit WHERE n = 3")
        put = f"UPDATE audit SET {name} = CAST(? AS TEXT) WHERE n = 3"
        for place, bit in ((place, bit) for place in range(len(kept)) for bit in (0x01, 0x20, 0x80)):
            other.execute(put, (kept[:place] + bytes([kept[place] ^ bit]) + kept[place + 1 :],))
            flaw = wrong(store)
            assert flaw is not None, (name, place, bit)
            assert (flaw.n, flaw.what) == (3, What.ALTERED), (name, place, bit)
            found.add(flaw.differs)
        other.execute(put, (kept,))
    assert found == {"its content", "the hash that it follows", "its hash"}
    assert wrong(store) is None
    other.close()
    store.close()


def test_each_bit_of_a_stored_number_that_is_altered_is_found_and_placed(file: Path):
    store, other = open_store(f"sqlite:///{file}"), sqlite3.connect(file, isolation_level=None)
    for name, kept in (("n", 3), ("at", 200)):
        for bit in range(2 if name == "n" else 0, 64):
            number = (kept ^ (1 << bit)) - (1 << 64 if bit == 63 else 0)
            assert number != kept
            other.execute(f"UPDATE audit SET {name} = ? WHERE {name} = ?", (number, kept))
            flaw = wrong(store)
            assert flaw is not None, (name, bit)
            assert flaw.n == 3, (name, bit)
            other.execute(f"UPDATE audit SET {name} = ? WHERE {name} = ?", (kept, number))
    assert wrong(store) is None
    other.close()
    store.close()


@pytest.mark.parametrize(
    ("command", "flaw"),
    [
        ("DELETE FROM audit WHERE n = 3", Flaw(3, What.MISSING, "it between links 2 and 4")),
        ("DELETE FROM audit WHERE n IN (2, 3)", Flaw(2, What.MISSING, "links 2 to 3 between links 1 and 4")),
        ("DELETE FROM audit WHERE n = 1", Flaw(1, What.MISSING, "it between links 0 and 2")),
        (
            "DELETE FROM audit WHERE n > 3",
            Flaw(4, What.MISSING, "the chain was cut after link 3; its signed end is 5"),
        ),
        (
            "DELETE FROM audit",
            Flaw(1, What.MISSING, "the chain was cut after link 0; its signed end is 5"),
        ),
        ("UPDATE audit SET n = 9 WHERE n = 5", Flaw(5, What.ALTERED, "its number: it says 9")),
    ],
)
def test_links_that_are_taken_away_or_moved_are_found(file: Path, command: str, flaw: Flaw):
    with sqlite3.connect(file) as other:
        other.execute(command)
    store = open_store(f"sqlite:///{file}")
    assert wrong(store) == flaw
    store.close()


def test_nothing_is_appended_where_the_end_was_set_back(file: Path):
    with sqlite3.connect(file) as other:
        other.execute("UPDATE audit_end SET n = 3, hash = (SELECT hash FROM audit WHERE n = 3)")
    store = open_store(f"sqlite:///{file}")
    with pytest.raises(RuntimeError, match="beyond its end"):
        store.write(lambda tx: append(tx, 9))
    store.close()
