"""The writer beside the same done row by row in Python, and a search of written files for what is hidden."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Column, File, Format, Source
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.shown import shown
from tests.sharing.here import Here

SALT = b"salt"
Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A condition or a value as SQL, and what it comes to for a row: None is unknown."""

    sql: str
    of: Callable[[Row], Any]


def negated(one: Said) -> Said:
    def of(row: Row) -> Any:
        value = one.of(row)
        return None if value is None else not value

    return Said(f"NOT ({one.sql})", of)


def joined(word: str, one: Said, other: Said) -> Said:
    def of(row: Row) -> Any:
        values = [one.of(row), other.of(row)]
        decides = word == "OR"
        if decides in values:
            return decides
        return None if None in values else not decides

    return Said(f"({one.sql}) {word} ({other.sql})", of)


def compared(column: str, sign: str, value: Any) -> Said:
    signs: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, ">=": lambda a,
        b: a >= b,
    }  # fmt: skip
    written = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
    return Said(
        f'"{column}" {sign} {written}',
        lambda row: None if row[column] is None else signs[sign](row[column], value),
    )


def contained(column: str, values: list[Any]) -> Said:
    listed = ", ".join(f"'{value}'" for value in values)
    return Said(f"{column} IN ({listed})", lambda row: None if row[column] is None else row[column] in values)


def of_name(of: Callable[[str], Any]) -> Callable[[Row], Any]:
    return lambda row: None if row["name"] is None else of(row["name"])


def whole(row: Row) -> bool:
    return None not in (row["n"], row["name"])


def tenfold(row: Row) -> int:
    return int(row["n"]) * 10 + len(row["name"])


REGIONS = st.sampled_from(["SZ", "HK", "GZ"])
TEXT = st.text("aAb'é陈 \\%", max_size=4)
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(compared, st.just("n"), st.sampled_from(["=", "<>", "<", ">="]), st.integers(-3, 3)),
        st.builds(compared, st.just("name"), st.sampled_from(["=", "<>"]), TEXT),
        st.builds(compared, st.just("hidden"), st.sampled_from(["=", "<", ">="]), st.integers(0, 9)),
        st.builds(contained, st.just("region"), st.lists(REGIONS, min_size=1, max_size=2)),
        st.sampled_from([
            Said("name IS NULL", lambda row: row["name"] is None),
            Said("starts_with(name, 'a')", of_name(lambda name: name.startswith("a"))),
            Said("coalesce(n, 0) > 0", lambda row: (row["n"] or 0) > 0),
        ]),
    ),
    lambda inner: st.one_of(
        st.builds(negated, inner), st.builds(joined, st.sampled_from(["AND", "OR"]), inner, inner)
    ),
    max_leaves=5,
)  # fmt: skip


def _hashed(text: str | None) -> str | None:
    return None if text is None else hmac.new(SALT, text.encode(), hashlib.sha256).hexdigest()


MASKS = st.sampled_from([
    {},
    {"name": Said("hash", lambda row: _hashed(row["name"])), "n": Said("null", lambda row: None)},
    {"n": Said("hash", lambda row: _hashed(None if row["n"] is None else str(row["n"])))},
    {"name": Said("upper(left(name, 2))", of_name(lambda name: name[:2].upper()))},
    {"region": Said(
        "CASE WHEN n > 0 THEN 'more' WHEN n IS NULL THEN NULL ELSE coalesce(region, '?') END",
        lambda row: None if row["n"] is None else "more" if row["n"] > 0 else row["region"] or "?",
    )},
    {"n": Said("n * 10 + length(name)", lambda row: tenfold(row) if whole(row) else None)},
])  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({
        "n": st.none() | st.integers(-3, 3), "name": st.none() | TEXT,
        "region": st.none() | st.sampled_from(["SZ", "HK", "GZ"]), "hidden": st.none() | st.integers(0, 9),
    }),
    max_size=12,
)  # fmt: skip
SCHEMA = pa.schema(
    [("n", pa.int64()), ("name", pa.string()), ("region", pa.string()), ("hidden", pa.int64())]
)


@pytest.mark.slow
@settings(max_examples=60)
@given(rows=ROWS, condition=CONDITIONS, masks=MASKS)
def test_what_is_written_is_what_row_by_row_is_shown(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], condition: Said, masks: dict[str, Said]
):
    folder = tmp_path_factory.mktemp("rows")
    tables = Here(folder / "scratch", Allowed((folder,)))
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "t.parquet")
    terms = Terms(
        ("n", "name", "region"), condition.sql, {column: mask.sql for column, mask in masks.items()}
    )
    files = tables.write(
        Source(Format.PARQUET, f"file://{folder}/t.parquet"), terms, SALT, folder / "out", None
    )
    written = Counter(tuple(row.values()) for file in files for row in pq.read_table(file.path).to_pylist())
    expected = Counter(
        tuple(masks[column].of(row) if column in masks else row[column] for column in ("n", "name", "region"))
        for row in rows
        if condition.of(row) is True
    )
    assert written == expected
    assert sum(file.rows for file in files) == sum(expected.values())
    for file in files:
        check_statistics(file)


def check_statistics(file: File) -> None:
    """Every value lies between those that a reader would skip the file by."""
    table = pq.read_table(file.path)
    for column, nulls in file.stats["nullCount"].items():
        values = [value for value in table[column].to_pylist() if value is not None]
        assert nulls == table.num_rows - len(values)
        if column in file.stats["minValues"]:
            least, greatest = file.stats["minValues"][column], file.stats["maxValues"][column]
            assert all(least <= value <= greatest for value in values)


def inside(path: Path) -> bytes:
    """A file as it is, and all that it holds compressed: pages of values and of dictionaries, whole
    columns."""
    raw = path.read_bytes()
    found = [raw]
    start = raw.find(b"\x28\xb5\x2f\xfd")
    while start >= 0:
        with suppress(zstandard.ZstdError):  # sometimes these four bytes begin no frame
            found.append(zstandard.ZstdDecompressor().decompressobj().decompress(raw[start:]))
        start = raw.find(b"\x28\xb5\x2f\xfd", start + 1)
    return b"\0".join(found)


@pytest.mark.parametrize("format", [Format.PARQUET, Format.DELTA])
def test_nothing_hidden_is_anywhere_in_a_file(tmp_path: Path, format: Format):
    rows = 3_000
    table = pa.table({
        "id": [f"seen-{n}" for n in range(rows)],
        "region": ["SZ" if n % 3 else "filtered-out" for n in range(rows)],
        "card": [f"masked-{n % 50}" for n in range(rows)],
        "name": [f"nulled-{n}" for n in range(rows)],
        "note": [f"cut:secret-{n % 7}" for n in range(rows)],
        "other": [f"unshared-{n}" for n in range(rows)],
    }, metadata={"pandas": "metadata-of-another"})  # fmt: skip
    if format is Format.DELTA:
        write_deltalake(tmp_path / "t", table, partition_by=["region"])
    else:
        pq.write_table(table, tmp_path / "t", row_group_size=100)
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    masks = {"card": "hash", "name": "null", "note": "split_part(note, ':', 1)"}
    terms = Terms(("id", "card", "name", "note"), "region = 'SZ'", masks)
    files = tables.write(Source(format, f"file://{tmp_path}/t"), terms, SALT, tmp_path / "out", None)
    (file,) = files
    content = inside(file.path) + str(file.stats).encode()
    assert b"seen-1" in content  # or this would find nothing anywhere
    assert str(_hashed("masked-1")).encode() in content
    for hidden in (
        "filtered-out",
        "masked-",
        "nulled-",
        "secret-",
        "unshared-",
        "other",
        "region",
        "metadata-of",
    ):
        assert hidden.encode() not in content


@pytest.mark.slow
def test_more_rows_than_one_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from baygrid.sharing import writing

    monkeypatch.setattr(writing, "GROUP_BYTES", 8 * 50 * 2_048)
    table = pa.table({"n": pa.array(range(1_000_000), pa.int64())})
    pq.write_table(table, tmp_path / "t.parquet")
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    source = Source(Format.PARQUET, f"file://{tmp_path}/t.parquet")
    one = tables.write(source, Terms(filter="n % 2 = 0 OR n > 0"), SALT, tmp_path / "1", None)
    two = tables.write(source, Terms(filter="n % 2 = 0 OR n > 0"), SALT, tmp_path / "2", None)
    assert [file.rows for file in one] == [409_600, 409_600, 180_800]
    assert [file.sha256 for file in one] == [file.sha256 for file in two]
    assert [file.stats["minValues"]["n"] for file in one] == [0, 409_600, 819_200]
    assert [pq.read_metadata(file.path).num_row_groups for file in one] == [4, 4, 2]


def test_wide_rows_come_in_small_groups(tmp_path: Path):
    table = pa.table({"n": list(range(5_000)), "text": ["x" * 100_000] * 5_000})
    pq.write_table(table, tmp_path / "t.parquet")
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    source = Source(Format.PARQUET, f"file://{tmp_path}/t.parquet")
    (file,) = tables.write(source, Terms(), SALT, tmp_path / "out", None)
    metadata = pq.read_metadata(file.path)
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [2_048, 2_048, 904]


def test_who_reads_learns_no_order_of_what_is_hidden(tmp_path: Path):
    """Rows come by what is shown, however the source has them."""
    table = pa.table({"rank": list(range(100)), "who": [f"p{n * 37 % 100:02}" for n in range(100)]})
    pq.write_table(table, tmp_path / "t.parquet")
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    (file,) = tables.write(
        Source(Format.PARQUET, f"file://{tmp_path}/t.parquet"), Terms(("who",)), SALT, tmp_path / "out", None
    )
    assert pq.read_table(file.path)["who"].to_pylist() == sorted(table["who"].to_pylist())


def test_sql_has_the_salt_in_no_plain_form():
    part = shown((Column("a", "string"),), Terms(masks={"a": "hash"}), b"a salt of letters")
    assert "a salt of letters" not in part.select("t")
    assert b"a salt of letters".hex() not in part.select("t")
