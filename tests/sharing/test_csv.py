"""CSV: types are found once over all rows, and kept."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Format, ReadFailed, Source
from baygrid.sharing.places.allowed import Allowed
from tests.sharing.here import Here


@pytest.fixture
def tables(tmp_path: Path) -> Here:
    (tmp_path / "data").mkdir()
    return Here(tmp_path / "scratch", Allowed((tmp_path / "data",)))


def csv(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Source:
    (tmp_path / "data" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source(Format.CSV, f"file://{tmp_path}/data/{name}")


def types(tables: Here, source: Source) -> dict[str, str]:
    return {each.name: each.type for each in tables.look(source).columns}


def written(tables: Here, source: Source, folder: Path) -> list[dict]:
    return [
        row
        for file in tables.write(source, Terms(), b"", folder, None)
        for row in pq.read_table(file.path).to_pylist()
    ]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-20", ""], "int64"),
        (["00123", "00124"], "string"),
        (["123456789012345678", "1"], "string"),
        (["440305199001011234", "44030519900101123X"], "string"),
        (["13800138000", "13900139000"], "int64"),
        (["1.5", "2", "-3e5"], "double"),
        (["1", "x"], "string"),
        (["1", "true"], "string"),
        (["true", "FALSE"], "bool"),
        (["2026-11-23", "2026-02-28"], "date32[day]"),
        (["2026-11-23", "2026-02-30"], "string"),
        (["2026-11-23 10:00:00", "2026-11-23T10:00"], "timestamp[us]"),
        (["2026-11-23 10:00:00Z", "2026-11-23T10:00:00+08:00"], "timestamp[us, tz=UTC]"),
        (["", ""], "string"),
        (["nan", "inf"], "string"),
    ],
)
def test_a_type_is_one_that_every_value_has(tables: Here, tmp_path: Path, values: list[str], type_: str):
    source = csv(tmp_path, "n,v\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    assert types(tables, source) == {"n": "int64", "v": type_}
    assert len(
        written(tables, replace(source, columns=tables.look(source).columns), tmp_path / "out")
    ) == len(values)


def test_a_value_of_the_last_row_counts(tables: Here, tmp_path: Path):
    source = csv(tmp_path, "v\n" + "1\n" * 300_000 + "x\n")
    assert types(tables, source) == {"v": "string"}
    assert tables.look(source).rows == 300_001


def test_types_are_kept_when_other_rows_come(tables: Here, tmp_path: Path):
    source = csv(tmp_path, "id,code\n1,a\n")
    kept = replace(source, columns=tables.look(source).columns)
    csv(tmp_path, "code,more,id\n5,x,2\n6,y,\n")
    assert written(tables, kept, tmp_path / "out") == [{"id": 2, "code": "5"}, {"id": None, "code": "6"}]
    csv(tmp_path, "id,code\nsecret,b\n")
    with pytest.raises(ReadFailed, match="fails on a row") as failed:
        written(tables, kept, tmp_path / "out")
    assert "secret" not in str(failed.value)
    csv(tmp_path, "code\nb\n")
    with pytest.raises(ReadFailed, match="no column id any more"):
        written(tables, kept, tmp_path / "out")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_fields_that_hold_what_stands_between_fields(tables: Here, tmp_path: Path, delimiter: str):
    text = f'a{delimiter}"b {delimiter} c"\n"x{delimiter}y"{delimiter}"say ""hi""\nthere"\n'
    source = csv(tmp_path, b"\xef\xbb\xbf" + text.encode())
    (row,) = written(tables, source, tmp_path / "out")
    assert row == {"a": f"x{delimiter}y", f"b {delimiter} c": 'say "hi"\nthere'}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a,b\n1,2,3\n", "more or fewer fields"),
        ("姓名,b\n陈,2\n".encode("gbk"), "UTF-8"),
        (b"a,A\n1,2\n", "differ in case"),
        (b"", "no CSV file"),
    ],
)
def test_what_cannot_be_read_says_why(tables: Here, tmp_path: Path, content: bytes, why: str):
    with pytest.raises(ReadFailed, match=why):
        tables.look(csv(tmp_path, content))
