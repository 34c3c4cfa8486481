"""One suite for every kind of source: what is seen does not depend on where the rows lie."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import BadExpression, ReadFailed, Source
from baygrid.sharing.engine import Bounds
from baygrid.sharing.places.allowed import Allowed
from tests.sharing import sites
from tests.sharing.here import Here

SALT = b"salt of one contract"
ROWS = pa.table({
    "id": pa.array([3, 1, 2, 4, 5, 6], pa.int64()),
    "name": ["陈大文", "Li Wei", None, "Hidden Person", "Zhao, \"Z\"", "Li Wei"],
    "region": ["SZ", "SZ", "SZ", "HK", None, "HK"], "amount": pa.array([10.5, 20.25, None, 40.0, 50.0, -1.0]),
    "born": pa.array([dt.date(1990, 1, 2), None, dt.date(2001, 12, 31)] * 2, pa.date32()),
    "seen": pa.array([dt.datetime(2026, 11, 23, 10, 0, n) for n in range(6)]).cast(pa.timestamp("us", "UTC")),
    "vip": pa.array([True, False, None, True, False, True]),
})  # fmt: skip

FILES: dict[str, Callable[[Path], sites.Site]] = {
    "parquet": sites.ParquetFile, "folder": sites.ParquetFolder, "delta": sites.DeltaFolder,
    "csv": sites.CsvFile, "blob": sites.BlobObject, "blob of a folder": sites.BlobOfFolder,
}  # fmt: skip
BUCKETS: dict[str, Callable[[Path], sites.Site]] = {
    "s3 parquet": sites.ParquetFile, "s3 folder": sites.ParquetFolder, "s3 delta": sites.DeltaFolder,
    "s3 csv": sites.CsvFile,
}  # fmt: skip
SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in (*BUCKETS, "postgresql")]


@pytest.fixture(params=[*FILES, *SLOW])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sites.Site]:
    kind, folder = request.param, tmp_path / "data"
    folder.mkdir()
    if kind in FILES:
        yield FILES[kind](folder)
    elif kind in BUCKETS:
        bucket = sites.Bucket(folder, BUCKETS[kind](folder), request.getfixturevalue("s3_endpoint"))
        yield bucket
        bucket.client.close()
    else:
        new: Callable[[], str] = request.getfixturevalue("new_database")
        yield sites.Database(folder, new())


@pytest.fixture
def tables(site: sites.Site, tmp_path: Path) -> Here:
    return reader(tmp_path, site.allowed)


def reader(tmp_path: Path, allowed: Allowed) -> Here:
    return Here(tmp_path / "scratch", allowed, Bounds(memory=256 << 20))


def rows(files) -> list[tuple]:
    return [tuple(row.values()) for file in files for row in pq.read_table(file.path).to_pylist()]


def hashed(text: str) -> str:
    return hmac.new(SALT, text.encode(), hashlib.sha256).hexdigest()


def first(tables: Here, source: Source) -> Source:
    """As the catalogue has it after its first look."""
    return replace(source, columns=tables.look(source).columns)


def test_a_look(site: sites.Site, tables: Here):
    source = site.put(ROWS)
    look = tables.look(source)
    assert {each.name: each.type for each in look.columns} == {
        field.name: str(field.type) for field in ROWS.schema
    }
    assert look.rows == 6
    assert tables.look(source) == look


def test_another_content_is_another_fingerprint(site: sites.Site, tables: Here):
    source = site.put(ROWS)
    before = tables.look(source).fingerprint
    again = site.put(ROWS.slice(0, 5))
    assert tables.look(again).fingerprint != before


def test_rows_behind_a_filter_and_masks(site: sites.Site, tables: Here, tmp_path: Path):
    terms = Terms(
        ("id", "name", "amount", "born", "vip"),
        "region = 'SZ' or (region = 'HK' and amount < 0)",
        {
            "name": "hash",
            "amount": "round(amount / 10) * 10",
            "vip": "null",
            "born": "date_trunc('year', born)",
        },
    )
    files = tables.write(first(tables, site.put(ROWS)), terms, SALT, tmp_path / "out", None)
    (file,) = files
    assert rows(files) == [
        (1, hashed("Li Wei"), 20.0, None, None),
        (2, None, None, dt.datetime(2001, 1, 1), None),
        (3, hashed("陈大文"), 10.0, dt.datetime(1990, 1, 1), None),
        (6, hashed("Li Wei"), -0.0, dt.datetime(2001, 1, 1), None),
    ]
    assert (file.rows, file.stats["nullCount"]["vip"]) == (4, 4)
    for hidden in ("Li Wei", "陈大文", "Hidden", "Zhao", "region", "SZ", "2026"):
        assert hidden.encode() not in file.path.read_bytes()


def test_the_same_rows_give_the_same_bytes_wherever_they_lie(site: sites.Site, tables: Here, tmp_path: Path):
    terms = Terms(("name", "id", "amount", "seen"), None, {"name": "hash"})
    (file,) = tables.write(first(tables, site.put(ROWS)), terms, SALT, tmp_path / "out", None)
    (tmp_path / "plain").mkdir()
    plain = sites.ParquetFile(tmp_path / "plain")
    (other,) = reader(tmp_path, plain.allowed).write(plain.put(ROWS), terms, SALT, tmp_path / "o", None)
    assert rows([file]) == rows([other])
    assert file.stats == other.stats


def test_bad_terms_and_rows_that_fail(site: sites.Site, tables: Here, tmp_path: Path):
    source = first(tables, site.put(ROWS))
    with pytest.raises(BadExpression, match="does not have"):
        tables.write(source, Terms(filter="nobody = 1"), SALT, tmp_path / "1", None)
    with pytest.raises(ReadFailed, match="TRY_CAST") as failed:
        tables.write(source, Terms(masks={"name": "cast(name as int)"}), SALT, tmp_path / "2", None)
    assert "Li" not in str(failed.value)


def test_only_delta_has_versions(site: sites.Site, tables: Here, tmp_path: Path):
    source = site.put(ROWS)
    if source.format == "delta":
        assert tables.look(source, 0) == tables.look(source)
    else:
        with pytest.raises(ReadFailed, match="only a Delta table has versions"):
            tables.write(source, Terms(), SALT, tmp_path / "out", 0)


def test_what_is_not_there_says_so(site: sites.Site, tables: Here):
    source = site.put(ROWS)
    nowhere = (
        replace(source, uri=source.uri + "x") if source.table == "" else replace(source, table="public.x")
    )
    nowhere = nowhere if not source.uri.startswith("blob:") else replace(source, uri=f"blob:{'0' * 64}")
    with pytest.raises(ReadFailed, match="there is n") as failed:
        tables.look(nowhere)
    for secret in (source.secrets or {}).values():
        assert secret not in str(failed.value)
