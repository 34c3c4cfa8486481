"""What changed, as the terms show it."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Format, ReadFailed, Source
from baygrid.sharing.places.allowed import Allowed
from tests.sharing.here import Here

FEED = {"delta.enableChangeDataFeed": "true"}
SALT = b"salt"


def table(ids: Sequence[int], regions: Sequence[str], amounts: Sequence[int]) -> pa.Table:
    return pa.table(
        {"id": pa.array(ids, pa.int64()), "region": regions, "amount": pa.array(amounts, pa.int64())}
    )


@pytest.fixture
def tables(tmp_path: Path) -> Here:
    return Here(tmp_path / "scratch", Allowed((tmp_path,)))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    rows = table([1, 2, 3, 4], ["SZ", "SZ", "HK", "SZ"], [10, 20, 30, 40])
    write_deltalake(tmp_path / "t", rows, configuration=FEED)
    return Source(Format.DELTA, f"file://{tmp_path}/t")


def delta(source: Source) -> DeltaTable:
    return DeltaTable(source.uri.removeprefix("file://"))


def update(source: Source, predicate: str, **values: str) -> None:
    delta(source).update(updates=values, predicate=predicate)


def read(files) -> list[dict]:
    return [row for file in files for row in pq.read_table(file.path).to_pylist()]


def changed(tables: Here, source: Source, terms: Terms, folder: Path, first: int, last: int) -> list[tuple]:
    """(id, amount, what) of the changes, by version, then by these."""
    files = tables.changes(source, terms, SALT, folder, first, last)
    found = [(file.version, row) for file in files for row in read([file])]
    return sorted((version, row["id"], row["amount"], row["_change_type"]) for version, row in found)


SHENZHEN = Terms(("id", "amount"), "region = 'SZ'")


def test_rows_come_go_and_change(tables: Here, source: Source, tmp_path: Path):
    update(source, "id = 1", amount="11")
    update(source, "id = 2", region="'HK'")
    update(source, "id = 3", region="'SZ'")
    delta(source).delete("id = 4")
    write_deltalake(tmp_path / "t", table([5, 6], ["SZ", "GZ"], [50, 60]), mode="append")
    assert changed(tables, source, SHENZHEN, tmp_path / "out", 0, 5) == [
        (0, 1, 10, "insert"), (0, 2, 20, "insert"), (0, 4, 40, "insert"),
        (1, 1, 10, "update_preimage"), (1, 1, 11, "update_postimage"),
        (2, 2, 20, "delete"),
        (3, 3, 30, "insert"),
        (4, 4, 40, "delete"),
        (5, 5, 50, "insert"),
    ]  # fmt: skip


def test_files_say_which_version_and_whether_rows_came_or_went(tables: Here, source: Source, tmp_path: Path):
    update(source, "id = 1", amount="11")
    files = tables.changes(source, SHENZHEN, SALT, tmp_path / "out", 0, 1)
    told = [(file.version, file.change, file.rows) for file in files]
    assert told == [(0, "came", 3), (1, "went", 1), (1, "came", 1)]
    assert {row["_change_type"] for row in read(files[1:2])} == {"update_preimage"}
    assert {row["_change_type"] for row in read(files[2:])} == {"update_postimage"}
    assert pq.read_schema(files[0].path).names == ["id", "amount", "_change_type"]


def test_in_one_update_some_stay_some_leave_and_some_enter(tables: Here, source: Source, tmp_path: Path):
    """Which images belong together is told by the column that tells rows apart."""
    swap = "CASE WHEN id = 1 THEN 'HK' WHEN id = 3 THEN 'SZ' ELSE region END"
    update(source, "id < 4", region=swap, amount="amount + 1")
    assert changed(tables, source, SHENZHEN, tmp_path / "out", 1, 1) == [
        (1, 1, 10, "delete"),
        (1, 2, 20, "update_preimage"), (1, 2, 21, "update_postimage"),
        (1, 3, 31, "insert"),
    ]  # fmt: skip


def test_where_rows_cannot_be_told_apart_they_are_deleted_and_inserted(tables: Here, tmp_path: Path):
    write_deltalake(tmp_path / "t", table([1, 1, 1], ["SZ", "SZ", "SZ"], [5, 5, 6]), configuration=FEED)
    source = Source(Format.DELTA, f"file://{tmp_path}/t")
    update(source, "true", region="CASE WHEN amount = 6 THEN 'HK' ELSE region END", amount="7")
    assert changed(tables, source, SHENZHEN, tmp_path / "out", 1, 1) == [
        *[(1, 1, 5, "delete")] * 2, (1, 1, 6, "delete"), *[(1, 1, 7, "insert")] * 2,
    ]  # fmt: skip


def test_masks_hide_both_images_and_an_update_of_what_is_hidden_did_not_happen(
    tables: Here, source: Source, tmp_path: Path
):
    update(source, "id = 1", amount="77777")
    update(source, "id = 1", region="'SZ'")
    files = tables.changes(
        source,
        Terms(None, None, {"amount": "amount // 1000", "region": "hash"}),
        SALT,
        tmp_path / "out",
        1,
        2,
    )
    assert sorted((row["id"], row["amount"], row["_change_type"]) for row in read(files)) == [
        (1, 0, "update_preimage"), (1, 77, "update_postimage"),
    ]  # fmt: skip
    for file in files:
        assert b"SZ" not in file.path.read_bytes()
        assert (77777).to_bytes(8, "little") not in file.path.read_bytes()
    assert tables.changes(source, Terms(("id", "region")), SALT, tmp_path / "none", 1, 1) == []


def test_a_merge_and_partitions_whose_names_are_odd(tables: Here, tmp_path: Path):
    odd = "S Z/100%=ü"
    rows = table([1, 2], [odd, "HK"], [10, 20])
    write_deltalake(tmp_path / "t", rows, partition_by=["region"], configuration=FEED)
    source = Source(Format.DELTA, f"file://{tmp_path}/t")
    merge = delta(source).merge(
        table([1, 3], [odd, odd], [11, 31]), "t.id = s.id", source_alias="s", target_alias="t"
    )
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    terms = Terms(("id", "amount"), f"region = '{odd}'")
    assert changed(tables, source, terms, tmp_path / "out", 0, 1) == [
        (0, 1, 10, "insert"),
        (1, 1, 10, "update_preimage"), (1, 1, 11, "update_postimage"), (1, 3, 31, "insert"),
    ]  # fmt: skip
    assert len(read(tables.write(source, terms, SALT, tmp_path / "rows", None))) == 2


def test_what_is_no_feed_says_so(tables: Here, source: Source, tmp_path: Path):
    for first, last, why in ((2, 1, "no version|no changes"), (0, 9, "no version 9"), (7, 9, "no version 9")):
        with pytest.raises(ReadFailed, match=why):
            tables.changes(source, SHENZHEN, SALT, tmp_path / "out", first, last)
    delta(source).alter.set_table_properties({"delta.enableChangeDataFeed": "false"})
    with pytest.raises(ReadFailed, match="off at version 1"):
        tables.changes(source, SHENZHEN, SALT, tmp_path / "out", 0, 1)
    write_deltalake(tmp_path / "off", table([1], ["SZ"], [1]))
    with pytest.raises(ReadFailed, match="off at version 0"):
        tables.changes(Source(Format.DELTA, f"file://{tmp_path}/off"), SHENZHEN, SALT, tmp_path / "out", 0, 0)
    pq.write_table(table([1], ["SZ"], [1]), tmp_path / "p.parquet")
    with pytest.raises(ReadFailed, match="only a Delta table"):
        tables.changes(
            Source(Format.PARQUET, f"file://{tmp_path}/p.parquet"), SHENZHEN, SALT, tmp_path / "out", 0, 0
        )


def test_a_feed_that_began_later(tables: Here, tmp_path: Path):
    write_deltalake(tmp_path / "t", table([1, 2], ["SZ", "HK"], [10, 20]))
    source = Source(Format.DELTA, f"file://{tmp_path}/t")
    delta(source).alter.set_table_properties(FEED)
    update(source, "id = 2", region="'SZ'")
    assert changed(tables, source, SHENZHEN, tmp_path / "out", 2, 2) == [(2, 2, 20, "insert")]
    with pytest.raises(ReadFailed, match="off at version 0"):
        tables.changes(source, SHENZHEN, SALT, tmp_path / "out", 0, 2)


REGIONS = st.sampled_from(["SZ", "HK"])
ROWS = st.lists(st.tuples(REGIONS, st.integers(0, 3)), min_size=1, max_size=6)
"""Every row has a number of its own: deltalake leaves an image out of its feed that equals another row."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), ROWS),
        st.tuples(st.just("delete"), st.sampled_from(["id % 3 = 1", "amount = 1", "region = 'HK'"])),
        st.tuples(
            st.just("update"), st.sampled_from(["id % 2 = 0", "amount < 2", "true"]),
            st.sampled_from([
                {"amount": "amount + 1"}, {"region": "CASE WHEN amount = 1 THEN 'SZ' ELSE 'HK' END"},
                {"region": "CASE WHEN region = 'SZ' THEN 'HK' ELSE 'SZ' END", "amount": "id"},
            ]),
        ),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
TERMS = [
    SHENZHEN,
    Terms(("amount",), "region = 'SZ' AND amount < 2"),
    Terms(None, "amount > 0", {"region": "hash", "amount": "amount // 2"}),
]


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, steps=STEPS, terms=st.sampled_from(TERMS))
def test_whoever_follows_the_changes_has_the_rows(
    tmp_path_factory: pytest.TempPathFactory, rows, steps, terms: Terms
):
    """Of every version: those before, less what was deleted or changed, with what came."""
    folder = tmp_path_factory.mktemp("follow")
    tables = Here(folder / "scratch", Allowed((folder,)))
    numbers = itertools.count(1)

    def numbered(some) -> pa.Table:
        return table([next(numbers) for _ in some], *zip(*some, strict=True))

    write_deltalake(folder / "t", numbered(rows), configuration=FEED)
    source = Source(Format.DELTA, f"file://{folder}/t")
    for step in steps:
        if step[0] == "append":
            write_deltalake(folder / "t", numbered(step[1]), mode="append")
        elif step[0] == "delete":
            delta(source).delete(step[1])
        else:
            delta(source).update(updates=step[2], predicate=step[1])
    has: Counter = Counter()
    for version in range(delta(source).version() + 1):
        for row in read(tables.changes(source, terms, SALT, folder / "changes", version, version)):
            what = row.pop("_change_type")
            has[tuple(row.values())] += 1 if what in ("insert", "update_postimage") else -1
        there = Counter(
            tuple(row.values()) for row in read(tables.write(source, terms, SALT, folder / "rows", version))
        )
        assert +has == there
        assert not -has
