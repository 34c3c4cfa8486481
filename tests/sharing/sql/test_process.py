"""Queries in processes of their own, over real files."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.core.data.terms import HASH, Terms
from baygrid.ports.reader import BadExpression, Busy, ReadFailed
from baygrid.sharing.engine import STANDARD
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.sql.confined import Bounds
from baygrid.sharing.sql.queries import Queries
from baygrid.sharing.work import Bench
from tests.sharing.sql.hospital import Stranger, table_of, write

PATIENTS = ("hospital", "clinic", "patients")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("hospital")
    write(found)
    (found / "scratch").mkdir()
    return found


def queries(folder: Path, **bounds: int) -> Queries:
    return Queries(Bench(folder / "scratch", Allowed((folder,)), STANDARD), Bounds(**bounds))


def ask(
    folder: Path, sql: str, rows: int = 1_000, k: int = 0, **bounds: int
) -> tuple[pa.Table, dict[str, Any]]:
    return table_of(queries(folder, **bounds).query(sql, rows, Stranger(folder, k)))


_SESSIONS: set[int] = set()


def processes() -> set[int]:
    """Those that work for this one: copies of the process that waits, each with a session of its own."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                state, parent, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                found[int(entry.name)] = state, int(parent), int(session)
        except OSError:
            continue
    waiting = {pid for pid, (_, parent, _) in found.items() if parent == os.getpid()}
    _SESSIONS.update(
        pid for pid, (_, parent, session) in found.items() if parent in waiting and session == pid
    )
    return {pid for pid, (state, _, session) in found.items() if session in _SESSIONS and state != "Z"}


def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        os.sched_yield()


def until_gone(before: set[int]) -> None:
    until(lambda: not processes() - before)


def test_the_gate_shows_what_the_terms_show(folder: Path) -> None:
    stranger = Stranger(folder)
    table, said = table_of(
        queries(folder).query(
            "SELECT * FROM patients p JOIN clinic.visits v ON v.patient = p.id", 99, stranger
        )
    )
    assert stranger.asked == [("patients",), ("clinic", "visits")]
    assert stranger.heard == [(6, 0)]
    assert said == {"rows": 6, "more": False, "withheld": None}
    assert "bill" not in table.column_names
    assert set(table["day"].to_pylist()) == {None}
    assert set(table["name"].to_pylist()) == {"person 0", "person 1", "person 2"}
    assert "SECRET" not in str(table.to_pydict())


def test_a_hash_is_the_same_in_every_query_of_a_contract(folder: Path) -> None:
    stranger = Stranger(folder, terms={PATIENTS: Terms(("id", "name"), None, {"name": HASH})})
    found = {
        tuple(table_of(queries(folder).query(sql, 99, stranger))[0]["name"].to_pylist())
        for sql in ("SELECT name FROM patients WHERE id = 1", "SELECT any_value(name) AS name FROM patients")
    }
    assert len(found) == 1
    assert "SECRET" not in str(found)


def test_figures_are_of_k_persons_also_where_the_person_is_not_shown(folder: Path) -> None:
    stranger = Stranger(folder, 2, {PATIENTS: Terms(("region",), "bill < 900000007")})
    table, said = table_of(
        queries(folder).query(
            "SELECT region, count(*) AS n FROM patients GROUP BY 1 ORDER BY 1", 99, stranger
        )
    )
    assert table.to_pydict() == {"region": ["GZ", "SZ"], "n": [2, 3]}
    assert said["withheld"] == 2
    assert stranger.heard == [(2, 2)]


def test_no_table_needs_none(folder: Path) -> None:
    table, _ = ask(folder, "SELECT 1 + 1 AS two")
    assert table.to_pydict() == {"two": [2]}


def test_at_most_so_many_rows_come_and_that_there_are_more_is_said(folder: Path) -> None:
    table, said = ask(folder, "SELECT * FROM range(100000) r(n)", rows=12_345)
    assert table["n"].to_pylist() == list(range(12_345))
    assert said["more"] is True
    table, said = ask(folder, "SELECT * FROM range(12345) r(n)", rows=12_345)
    assert (table.num_rows, said["more"]) == (12_345, False)


def test_at_most_so_many_bytes_come(folder: Path) -> None:
    table, said = ask(folder, "SELECT repeat('x', 1000) AS x FROM range(100000)", rows=100_000, size=1 << 20)
    assert 1_000 < table.num_rows < 30_000
    assert said == {"rows": table.num_rows, "more": True, "withheld": None}


def test_what_is_refused_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(BadExpression, match="the function getenv is not allowed"):
        ask(folder, "SELECT getenv('HOME') FROM patients")
    with pytest.raises(BadExpression, match="there is no table nothing"):
        ask(folder, "SELECT 1 FROM nothing")
    with pytest.raises(BadExpression, match="at line 1"):
        ask(folder, "SELECT (1")


def test_what_the_asker_says_against_it_comes_out_as_it_is(folder: Path) -> None:
    class Never(Exception):
        pass

    stranger = Stranger(folder, refuse=Never())
    with pytest.raises(Never):
        next(queries(folder).query("SELECT 1 FROM patients", 1, stranger))
    assert stranger.heard == []


def test_a_table_that_cannot_be_read_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReadFailed, match=r"^patients cannot be read"):
        next(queries(folder).query("SELECT 1 FROM patients", 1, Stranger(tmp_path)))


def test_a_mask_that_fails_says_no_value(folder: Path) -> None:
    stranger = Stranger(folder, terms={PATIENTS: Terms(("name",), None, {"name": "CAST(name AS INT)"})})
    with pytest.raises(ReadFailed) as failed:
        next(queries(folder).query("SELECT name FROM patients", 1, stranger))
    assert "SECRET" not in str(failed.value)


MUCH = [
    "SELECT list(n) FROM range(1000000000) r(n)",
    "SELECT length(repeat('x', 2000000000) || repeat('y', 2000000000))",
    "SELECT count(*) FROM (SELECT DISTINCT n FROM range(1000000000) r(n))",
    "SELECT unnest(range(2000000000))",
]


@pytest.mark.slow
@pytest.mark.parametrize("sql", MUCH)
def test_a_query_that_takes_too_much_memory_ends_with_a_sentence(folder: Path, sql: str) -> None:
    with pytest.raises((ReadFailed, BadExpression)) as failed:
        ask(folder, sql, memory=64 << 20, seconds=30)
    assert len(str(failed.value)) < 300


LONG = [
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 1",
    "SELECT " + "date(" * 40 + "'2026-01-01'" + ")" * 40,  # sqlglot tries each twice
]


@pytest.mark.slow
@pytest.mark.parametrize("sql", LONG)
def test_a_query_that_takes_too_long_ends_with_a_sentence(folder: Path, sql: str) -> None:
    with pytest.raises(ReadFailed, match=r"1 s of computing|longer than 4 s"):
        ask(folder, sql, seconds=1)


def test_a_process_that_dies_is_an_error_and_no_end(folder: Path) -> None:
    before = processes()
    pieces = queries(folder).query("SELECT * FROM range(1000000000) r(n)", 10**9, Stranger(folder))
    next(pieces)
    for pid in processes() - before:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ReadFailed):
        list(pieces)
    until_gone(before)


def test_the_process_of_the_query_alone_that_dies_is_an_error_too(folder: Path) -> None:
    before = processes()
    pieces = queries(folder).query("SELECT * FROM range(1000000000) r(n)", 10**9, Stranger(folder))
    next(pieces)
    os.kill(max(processes() - before), signal.SIGKILL)
    with pytest.raises(ReadFailed, match="memory"):
        list(pieces)
    until_gone(before)


def test_who_goes_away_takes_the_processes_with_him(folder: Path) -> None:
    before = processes()
    stranger = Stranger(folder)
    pieces = queries(folder).query("SELECT * FROM range(1000000000) r(n)", 10**9, stranger)
    assert isinstance(pieces, Iterator)
    next(pieces)
    assert len(processes() - before) == 2
    pieces.close()  # type: ignore[attr-defined]
    until_gone(before)
    assert stranger.heard[0][0] > 0


def test_who_is_gone_before_the_first_row_ends_it_too(folder: Path) -> None:
    before = processes()
    stranger = Stranger(folder)
    endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r"
    pieces = queries(folder).query(endless, 1, stranger)

    def leave() -> None:
        until(lambda: len(processes() - before) == 2)
        stranger.left = True

    leaving = threading.Thread(target=leave)
    leaving.start()
    with pytest.raises(ReadFailed, match="nobody waits"):
        next(pieces)
    leaving.join()
    until_gone(before)


def test_a_table_with_another_content_than_was_asked_for_is_not_read(folder: Path) -> None:
    stranger = Stranger(folder, fingerprint="of yesterday")
    with pytest.raises(ReadFailed, match="patients cannot be read: it has changed just now"):
        next(queries(folder).query("SELECT 1 FROM patients", 1, stranger))


def test_so_many_at_once_and_no_more(folder: Path) -> None:
    bench = Bench(folder / "scratch", Allowed((folder,)), STANDARD)
    few = Queries(bench, at_once=1, patience=0.01)
    running = few.query("SELECT * FROM range(1000000000) r(n)", 10**9, Stranger(folder))
    next(running)
    with pytest.raises(Busy, match="too many queries"):
        next(few.query("SELECT 1", 1, Stranger(folder)))
    running.close()  # type: ignore[attr-defined]
    assert table_of(few.query("SELECT 1 AS one", 1, Stranger(folder)))[0].num_rows == 1


def test_a_large_table_goes_through_in_pieces(folder: Path, tmp_path: Path) -> None:
    rows = pa.table({"id": pa.array(range(300_000), pa.int64()), "name": ["x" * 50] * 300_000})
    pq.write_table(rows, tmp_path / "patients.parquet")
    (tmp_path / "scratch").mkdir()
    stranger = Stranger(tmp_path, terms={PATIENTS: Terms(None, "id % 3 = 0")})
    table, said = table_of(queries(tmp_path).query("FROM patients", 10**6, stranger))
    assert sorted(table["id"].to_pylist()) == list(range(0, 300_000, 3))
    assert said["more"] is False
