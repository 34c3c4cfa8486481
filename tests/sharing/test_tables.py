"""Tables as they are shown: rows, masks, files."""

import hashlib
import hmac
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import BadExpression, Column, Format, ReadFailed, Source
from baygrid.sharing.engine import Bounds
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.tables import Tables
from tests.sharing.here import Here

SALT = b"salt of one contract"
PEOPLE = pa.table({
    "id": pa.array([3, 1, 2, 4, 5], pa.int64()),
    "name": ["陈大文", "Li Wei", None, "Hidden Person", "Zhao"],
    "region": ["SZ", "SZ", "SZ", "HK", None],
    "amount": pa.array([10.5, 20.25, None, 40.0, 50.0]),
})  # fmt: skip


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Here(tmp_path / "scratch", Allowed((tmp_path / "data",)), Bounds(memory=256 << 20))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def parquet(data: Path, table: pa.Table = PEOPLE, name: str = "people.parquet") -> Source:
    (data / name).parent.mkdir(exist_ok=True)
    pq.write_table(table, data / name)
    return Source(Format.PARQUET, f"file://{data}/{name}")


def rows(files) -> list[tuple]:
    paths = [str(file.path) for file in files]
    return duckdb.execute("SELECT * FROM read_parquet($1) ORDER BY ALL", [paths]).fetchall() if paths else []


def hashed(text: str) -> str:
    return hmac.new(SALT, text.encode(), hashlib.sha256).hexdigest()


def test_a_look_tells_columns_rows_and_whether_it_may_have_changed(tables: Tables, data: Path):
    source = parquet(data)
    first = tables.look(source)
    assert first.columns[:2] == (Column("id", "int64"), Column("name", "string"))
    assert (first.version, first.rows, first.delta) == (0, 5, None)
    assert tables.look(source) == first
    parquet(data, PEOPLE.slice(0, 4))
    assert tables.look(source).fingerprint != first.fingerprint


def test_only_what_the_terms_show_is_written(tables: Tables, data: Path, tmp_path: Path):
    terms = Terms(
        ("amount", "name", "id"), "region = 'SZ'", {"name": "hash", "amount": "round(amount / 10) * 10"}
    )
    files = tables.write(parquet(data), terms, SALT, tmp_path / "out", None)
    assert rows(files) == [
        (1, hashed("Li Wei"), 20.0), (2, None, None), (3, hashed("陈大文"), 10.0),
    ]  # fmt: skip
    (file,) = files
    assert (file.rows, file.size, file.version) == (3, file.path.stat().st_size, 0)
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.stats["numRecords"] == 3
    assert file.stats["nullCount"] == {"id": 0, "name": 1, "amount": 1}
    assert (file.stats["minValues"]["id"], file.stats["maxValues"]["id"]) == (1, 3)
    assert (file.stats["minValues"]["amount"], file.stats["maxValues"]["amount"]) == (10.0, 20.0)
    for hidden in ("Li Wei", "陈大文", "Hidden", "Zhao", "region", "SZ"):
        assert hidden.encode() not in file.path.read_bytes()


def test_no_row_is_no_file_and_an_unknown_filter_shows_nothing(tables: Tables, data: Path, tmp_path: Path):
    source = parquet(data)
    assert tables.write(source, Terms(filter="id > 99"), SALT, tmp_path / "none", None) == []
    shown = tables.write(source, Terms(("id",), "region <> 'SZ'"), SALT, tmp_path / "known", None)
    assert rows(shown) == [(4,)]


def test_what_is_seen_keeps_its_type_whatever_the_rows_are(tables: Tables, data: Path, tmp_path: Path):
    terms = Terms(
        None, None, {"id": "hash", "name": "null", "region": "length(region)", "amount": "amount > 20"}
    )
    expected = ["string", "string", "int64", "bool"]
    seen = tables.check(tables.look(parquet(data)).columns, terms)
    assert [each.type for each in seen] == expected
    for part in (PEOPLE, PEOPLE.slice(2, 1)):
        (file,) = tables.write(parquet(data, part), terms, SALT, tmp_path / "out", None)
        assert [str(field.type) for field in pq.read_schema(file.path)] == expected


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (Terms(("id", "nobody")), "no column nobody"),
        (Terms(()), "no column is shared"),
        (Terms(("id",), None, {"name": "hash"}), "name, which is not shared"),
        (Terms(("id",), None, {"id": "name"}), "only columns that are shared"),
        (Terms(filter="id"), "true or false"),
        (Terms(filter="name + 1 > d"), "does not have"),
        (Terms(filter="upper(id, 3) = 'x'"), "the filter"),
        (Terms(masks={"id": "id in (select 1)"}), "the mask of id"),
        (Terms(masks={"amount": "strftime(amount, 3)"}), "a mask does not fit"),
    ],
)
def test_bad_terms_say_why(tables: Tables, terms: Terms, why: str):
    columns = (Column("id", "int64"), Column("name", "string"), Column("amount", "double"))
    with pytest.raises(BadExpression, match=why):
        tables.check(columns, terms)


def test_a_failing_row_ends_the_reading_without_its_value(tables: Tables, data: Path, tmp_path: Path):
    with pytest.raises(ReadFailed, match="TRY_CAST") as failed:
        tables.write(parquet(data), Terms(masks={"name": "cast(name as int)"}), SALT, tmp_path / "out", None)
    assert "Li" not in str(failed.value)
    assert "陈" not in str(failed.value)


def test_equal_terms_over_equal_rows_give_equal_bytes(tables: Tables, data: Path, tmp_path: Path):
    terms = Terms(masks={"name": "hash"})
    whole = parquet(data, PEOPLE, "whole/one.parquet")
    pq.write_table(PEOPLE.slice(2), data / "whole/one.parquet")
    pq.write_table(PEOPLE.slice(0, 2), data / "whole/two.parquet")
    folder = Source(Format.PARQUET, f"file://{data}/whole")
    one = tables.write(parquet(data), terms, SALT, tmp_path / "1", None)
    two = tables.write(folder, terms, SALT, tmp_path / "2", None)
    other = tables.write(parquet(data), terms, b"another", tmp_path / "3", None)
    assert whole.uri.endswith("one.parquet")
    assert [file.sha256 for file in one] == [file.sha256 for file in two] != [file.sha256 for file in other]


def test_a_delta_table_is_read_at_any_of_its_versions(tables: Tables, data: Path, tmp_path: Path):
    write_deltalake(data / "t", PEOPLE, partition_by=["region"])
    DeltaTable(data / "t").delete("id = 1")
    DeltaTable(data / "t").update(updates={"amount": "0.0"}, predicate="id = 3")
    source = Source(Format.DELTA, f"file://{data}/t")
    look = tables.look(source)
    assert (look.version, look.rows) == (2, 4)
    assert look.delta is not None
    assert look.delta["partition_columns"] == ["region"]
    assert list(look.delta["made_at"]) == ["0", "1", "2"]
    assert look.delta["change_feed"] is False
    terms = Terms(("id", "region", "amount"), "region = 'SZ'")
    now = tables.write(source, terms, SALT, tmp_path / "now", None)
    assert rows(now) == [(2, "SZ", None), (3, "SZ", 0.0)]
    first = tables.write(source, terms, SALT, tmp_path / "first", 0)
    assert rows(first) == [(1, "SZ", 20.25), (2, "SZ", None), (3, "SZ", 10.5)]
    assert {file.version for file in first} == {0}
    with pytest.raises(ReadFailed, match="no version 3: it has those from 0 to 2"):
        tables.write(source, terms, SALT, tmp_path / "no", 3)


def test_a_delta_table_is_read_from_its_checkpoints_on(tables: Tables, data: Path, tmp_path: Path):
    for number in range(6):
        write_deltalake(data / "t", PEOPLE.slice(number % 5, 1), mode="append")
        if number == 3:
            DeltaTable(data / "t").create_checkpoint()
    for old in (0, 1, 2):
        (data / f"t/_delta_log/{old:020}.json").unlink()
    source = Source(Format.DELTA, f"file://{data}/t")
    look = tables.look(source)
    assert (look.version, look.rows) == (5, 6)
    assert [len(rows(tables.write(source, Terms(), SALT, tmp_path / str(at), at))) for at in (3, 4, 5)] == [
        4,
        5,
        6,
    ]
    with pytest.raises(ReadFailed, match="from 3 to 5"):
        tables.write(source, Terms(), SALT, tmp_path / "2", 2)


@pytest.mark.parametrize(
    "path", ["../outside.parquet", "/link.parquet", "/folder/deep.parquet", "/%2e%2e/outside.parquet"]
)
def test_nothing_outside_of_the_roots_is_read(tables: Tables, data: Path, path: str):
    pq.write_table(PEOPLE, data.parent / "outside.parquet")
    (data.parent / "elsewhere").mkdir()
    pq.write_table(PEOPLE, data.parent / "elsewhere/deep.parquet")
    (data / "link.parquet").symlink_to(data.parent / "outside.parquet")
    (data / "folder").symlink_to(data.parent / "elsewhere")
    with pytest.raises(ReadFailed, match="nothing to read"):
        tables.look(Source(Format.PARQUET, f"file://{data}/{path.lstrip('/')}"))


def test_a_link_below_a_folder_is_not_followed_and_a_table_may_not_name_files_elsewhere(
    tables: Tables, data: Path
):
    write_deltalake(data / "t", PEOPLE)
    (part,) = (data / "t").glob("*.parquet")
    part.rename(data.parent / "outside.parquet")
    source = Source(Format.DELTA, f"file://{data}/t")
    part.symlink_to(data.parent / "outside.parquet")
    with pytest.raises(ReadFailed, match="read"):
        tables.write(source, Terms(), SALT, data / "out", None)
    log = data / "t/_delta_log/00000000000000000000.json"
    for elsewhere in (
        f"file://{data.parent}/outside.parquet",
        "../../outside.parquet",
        f"{data.parent}/outside.parquet",
    ):
        text = log.read_text()
        log.write_text(text.replace(part.name, elsewhere))
        with pytest.raises(ReadFailed):
            tables.write(source, Terms(), SALT, data / "out", None)
        log.write_text(text)


def test_a_link_to_a_table_below_a_root_is_a_way_to_it(tables: Tables, data: Path):
    source = parquet(data)
    (data / "today.parquet").symlink_to(data / "people.parquet")
    assert (
        tables.look(Source(Format.PARQUET, f"file://{data}/today.parquet")).rows == tables.look(source).rows
    )


def test_what_is_no_table_says_so(tables: Tables, data: Path):
    (data / "x.parquet").write_bytes(b"PAR1 not really PAR1")
    (data / "empty").mkdir()
    for format_, path in ((Format.PARQUET, "x.parquet"), (Format.PARQUET, "empty"), (Format.DELTA, "empty")):
        with pytest.raises(ReadFailed, match=r"Parquet|Delta"):
            tables.look(Source(format_, f"file://{data}/{path}"))
    pq.write_table(PEOPLE.rename_columns(["id", "ID", "region", "amount"]), data / "twice.parquet")
    with pytest.raises(ReadFailed, match="differ in case"):
        tables.look(Source(Format.PARQUET, f"file://{data}/twice.parquet"))


@pytest.mark.slow
def test_a_process_of_its_own_tells_the_same(tables: Tables, tmp_path: Path, data: Path):
    source, terms = parquet(data), Terms(("id", "name"), "region = 'SZ'", {"name": "hash"})
    apart = Tables(tmp_path / "apart", Allowed((data,)))
    assert apart.look(source) == tables.look(source)
    (one,), (other,) = (
        each.write(source, terms, SALT, tmp_path / name, None) for each, name in ((apart, "1"), (tables, "2"))
    )
    assert (one.stats, one.sha256, one.path.name) == (other.stats, other.sha256, other.path.name)
    with pytest.raises(BadExpression, match="no column nobody"):
        apart.write(source, Terms(("nobody",)), SALT, tmp_path / "3", None)
    assert list((tmp_path / "apart").iterdir()) == []


@pytest.mark.slow
def test_a_process_that_needs_too_much_ends_and_says_so(tmp_path: Path, data: Path):
    source = parquet(data, pa.table({"n": pa.array(range(3_000_000), pa.int64()).cast(pa.string())}))
    hasty = Tables(tmp_path / "hasty", Allowed((data,)), Bounds(seconds=0.01))
    with pytest.raises(ReadFailed, match="longer than"):
        hasty.look(source)
    narrow = Tables(tmp_path / "narrow", Allowed((data,)), Bounds(memory=24 << 20, disk=1 << 20))
    with pytest.raises(ReadFailed, match="memory or disk"):
        narrow.write(source, Terms(masks={"n": "hash"}), SALT, tmp_path / "out", None)
    assert list((tmp_path / "hasty").iterdir()) == []
    assert list((tmp_path / "narrow").iterdir()) == []


def test_a_wide_table(tables: Tables, data: Path, tmp_path: Path):
    wide = pa.table({f"c{n}": [n] for n in range(1_000)})
    (data / "w.csv").write_text(",".join(wide.column_names) + "\n" + ",".join(map(str, range(1_000))) + "\n")
    for source in (parquet(data, wide), Source(Format.CSV, f"file://{data}/w.csv")):
        look = tables.look(source)
        assert {each.type for each in look.columns} == {"int64"}
        (file,) = tables.write(source, Terms(filter="c999 = 999"), SALT, tmp_path / "out", None)
        assert rows([file]) == [tuple(range(1_000))]
    with pytest.raises(ReadFailed, match="1001 columns, the most is 1000"):
        tables.look(parquet(data, pa.table({f"c{n}": [n] for n in range(1_001)})))
