"""Persons that terms show: each once, and nobody lost."""

import hashlib
import hmac
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baygrid.core.data.terms import Terms
from baygrid.ports.reader import BadExpression, Format, Source
from baygrid.sharing.engine import Bounds
from baygrid.sharing.places.allowed import Allowed
from tests.sharing.here import Here

KEY = b"key of one exporter"


@pytest.fixture
def tables(tmp_path: Path) -> Here:
    return Here(tmp_path / "scratch", Allowed((tmp_path,)), Bounds(memory=256 << 20))


def put(tmp_path: Path, table: pa.Table, name: str = "t") -> Source:
    pq.write_table(table, tmp_path / f"{name}.parquet")
    return Source(Format.PARQUET, f"file://{tmp_path}/{name}.parquet")


def people(*names: object, **more: list) -> pa.Table:
    return pa.table({"who": pa.array(names, pa.string()), **more})


def hashed(name: str) -> bytes:
    return hmac.new(KEY, name.encode(), hashlib.sha256).digest()[:16]


def counted(
    tables: Here, source: Source, terms: Terms | None = None, subject: str = "who", key: bytes = KEY
) -> list[bytes]:
    found = b"".join(tables.persons(source, terms or Terms(), subject, key))
    return [found[start : start + 16] for start in range(0, len(found), 16)]


def test_each_person_once(tables: Here, tmp_path: Path):
    source = put(tmp_path, people("Li", "陈大文", "Li", "Zhao"))
    assert sorted(counted(tables, source)) == sorted(map(hashed, ("Li", "陈大文", "Zhao")))


def test_one_person_under_several_spellings(tables: Here, tmp_path: Path):
    cards = (
        "44030519900101123x",
        "44030519900101123X",
        " 44030519900101123X\t",
        "４４０３０５１９９００１０１１２３Ｘ",
    )
    names = "Zoë", unicodedata.normalize("NFD", "Zoë"), "　Zoë　"
    source = put(tmp_path, people(*cards, *names))
    assert sorted(counted(tables, source)) == sorted(map(hashed, ("44030519900101123X", "Zoë")))


def test_nothing_else_is_folded(tables: Here, tmp_path: Path):
    names = ("ab", "aB", "a b", "A(1)", "a-b", "001", "1", "12345678901234567x")
    folded = {hashed(name.replace("7x", "7X")) for name in names}
    assert set(counted(tables, put(tmp_path, people(*names)))) == folded
    assert len(folded) == len(names)


def test_only_persons_of_shown_rows_count_also_behind_masks(tables: Here, tmp_path: Path):
    source = put(tmp_path, people("a", "b", "c", "d", region=["SZ", "HK", "SZ", None]))
    for columns, masks in ((None, {}), (("region",), {}), (None, {"who": "null"}), (None, {"who": "hash"})):
        found = counted(tables, source, Terms(columns, "region = 'SZ'", masks))
        assert sorted(found) == sorted(map(hashed, "ac"))


def test_a_row_that_names_nobody_is_a_person_of_its_own_and_the_same_one_next_time(
    tables: Here, tmp_path: Path
):
    table = people("a", None, " ", None, "　", n=[1, 2, 3, 2, 2])
    source = put(tmp_path, table)
    found = counted(tables, source)
    assert len(found) == len(set(found)) == 5
    assert counted(tables, source) == found
    grown = counted(
        tables, put(tmp_path, pa.concat_tables([table.slice(3), table.slice(0, 3), people(None, n=[9])]))
    )
    assert set(found) < set(grown)
    assert len(grown) == 6
    assert set(found) & set(counted(tables, source, Terms(filter="n = 2"))) == set(
        counted(tables, source, Terms(filter="n = 2"))
    )
    elsewhere = counted(tables, put(tmp_path, table, "other"))
    assert set(found) & set(elsewhere) == {hashed("a")}


def test_another_exporter_has_other_hashes_and_numbers_are_persons_too(tables: Here, tmp_path: Path):
    source = put(tmp_path, pa.table({"n": pa.array([7, 7, 8], pa.int32())}))
    assert set(counted(tables, source, subject="n")) == {hashed("7"), hashed("8")}
    assert not set(counted(tables, source, subject="n", key=b"k" * 99)) & {hashed("7"), hashed("8")}


def test_a_subject_that_is_not_there(tables: Here, tmp_path: Path):
    with pytest.raises(BadExpression, match="no column nobody"):
        counted(tables, put(tmp_path, people("a")), subject="nobody")


def test_persons_of_a_version(tables: Here, tmp_path: Path):
    write_deltalake(tmp_path / "t", people("a", "b"))
    write_deltalake(tmp_path / "t", people("c"), mode="append")
    source = Source(Format.DELTA, f"file://{tmp_path}/t")
    assert set(tables.persons(source, Terms(), "who", KEY, 0)) == {b"".join(sorted(map(hashed, "ab")))}
    assert set(counted(tables, source)) == set(map(hashed, "abc"))


def test_many_come_in_pieces_of_whole_persons(tables: Here, tmp_path: Path):
    number = 150_000
    source = put(tmp_path, people(*(f"p{n % number}" for n in range(2 * number))))
    pieces = list(tables.persons(source, Terms(), "who", KEY))
    assert len(pieces) > 1
    assert not any(len(piece) % 16 for piece in pieces)
    assert len(set(counted(tables, source))) == number


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    names=st.lists(st.one_of(st.none(), st.text("ab x\u3000Ａ\u0301e", max_size=4)), min_size=1, max_size=20)
)
def test_as_many_as_counted_by_hand(tmp_path_factory: pytest.TempPathFactory, names: list[str | None]):
    folder = tmp_path_factory.mktemp("persons")
    tables = Here(folder / "scratch", Allowed((folder,)))
    found = counted(tables, put(folder, people(*names)))
    plain = [
        unicodedata.normalize("NFC", name or "").replace("Ａ", "A").replace("\u3000", " ").strip()
        for name in names
    ]
    assert len(found) == len(set(found)) == len({name for name in plain if name}) + plain.count("")
    assert {hashed(name) for name in plain if name} <= set(found)
