"""The plain form: whatever a spreadsheet program made of it is read right, or is a finding."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from baygrid.core.reading import Wrong
from tests.observatory.rows import address, body, code, figure, read, small, workbook, write


def test_a_folder_becomes_values(tmp_path: Path):
    plain = read(write(tmp_path, small()))
    assert plain.findings == []
    assert [it.id for it in plain.bodies] == ["deep", "rail", "univ"]
    assert plain.bodies[0].names == {"zh_hans": "深圳市深蓝视觉科技有限公司", "en": "Deep Blue Vision Ltd"}
    assert plain.addresses[1].until == plain.addresses[2].since == date(2023, 6, 1)
    assert (plain.addresses[0].lon, plain.addresses[0].lat) == (113.85, 22.52)
    assert plain.returns[1].body == ""
    assert plain.returns[1].value == Decimal(221_300_000_000)
    assert [it.id for it in plain.zones] == ["shenzhen", "qianhai"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_excel_writes_as_csv_reads_the_same(tmp_path: Path, separator: str, encoding: str):
    wanted = read(write(tmp_path / "ours", small()))
    assert read(write(tmp_path / "excel", small(), separator=separator, encoding=encoding)) == wanted


def test_a_workbook_reads_the_same_with_dates_and_numbers_of_its_own(tmp_path: Path):
    rows = small()
    wanted = read(write(tmp_path / "ours", rows))
    own: dict[str, list[dict[str, object]]] = {
        table: [dict(it) for it in lines] for table, lines in rows.items()
    }
    for line in own["addresses"]:
        for column in ("since", "until"):
            line[column] = datetime.fromisoformat(str(line[column])) if line[column] else None
        for column in ("lon", "lat"):
            line[column] = float(str(line[column])) if line.get(column) else None
    own["bodies"][0]["synthetic"] = True
    own["returns"][0]["value"] = 4_500_000
    own["returns"][0]["period"] = 2023
    found = read(workbook(tmp_path / "registry.xlsx", own))
    found.zones = wanted.zones  # a workbook has none
    assert found == wanted


def test_a_day_as_excels_number_is_a_finding_with_its_reading(tmp_path: Path):
    rows = small()
    rows["addresses"][0]["since"] = "45291"
    found = read(write(tmp_path, rows)).findings
    assert [(it.table, it.line, it.body, it.code) for it in found] == [("addresses", 2, "deep", "excel-date")]
    assert "write 2023-12-31" in found[0].message
    own: dict[str, list[dict[str, object]]] = {
        table: [dict(it) for it in lines] for table, lines in rows.items()
    }
    own["addresses"][0]["since"] = 45291
    assert [it.code for it in read(workbook(tmp_path / "it.xlsx", own)).findings] == ["excel-date"]


def test_a_number_that_lost_its_digits_is_a_finding(tmp_path: Path):
    rows: dict[str, list[dict[str, object]]] = {
        "bodies": [
            {**body("a", "", en="A"), "code": 914403001922038216.0},
            {**body("b", "", en="B", scheme="hk_br"), "code": 1234567},
        ]
    }
    found = read(workbook(tmp_path / "it.xlsx", rows)).findings
    assert [(it.body, it.code) for it in found] == [("a", "bad-code"), ("b", "bad-code")]
    assert "last digits are lost" in found[0].message
    assert "is it 01234567?" in found[1].message


def test_a_spreadsheets_error_is_no_name(tmp_path: Path):
    rows = {"bodies": [body("a", code(4), en="#REF!"), body("b", code(5), en="C# N/A")]}
    found = read(workbook(tmp_path / "it.xlsx", rows)).findings
    assert (
        found[0].message
        == "name_en: is #REF!, a spreadsheet's error: mend its formula, or write the value itself"
    )
    assert {it.body for it in found} == {"a"}


def test_every_row_that_does_not_fit_says_all_that_is_wrong(tmp_path: Path):
    rows = small()
    rows["bodies"].append(body("two words", code(3)[:-1], kind="shop"))
    rows["addresses"].append(address("deep", "2024-01-01", "2023-01-01", lon="113,9", lat="22.5"))
    rows["returns"].append(figure("", "1,000", zone="", unit="USD", received="27/3/2024"))
    found = read(write(tmp_path, rows)).findings
    assert [(it.table, it.line) for it in found] == [
        *[("bodies", 5)] * 4,
        *[("addresses", 6)] * 3,
        *[("returns", 4)] * 4,
    ]
    assert {it.code for it in found} == {"bad-cell", "bad-code", "no-name", "bad-period", "bad-point"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad-header"),
        (b"id,kind\n", "bad-header"),
        ("编号,名称\n".encode("gbk"), "unreadable"),
        ("id,kind\n".encode("utf-16"), "unreadable"),
        (b'id,kind\n"a', "bad-header"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path, content: bytes, code: str):
    write(tmp_path, small())
    (tmp_path / "labels.csv").write_bytes(content)
    found = read(tmp_path).findings
    assert [(it.table, it.code) for it in found] == [("labels", code)]


def test_a_cell_too_many_is_no_shifted_row(tmp_path: Path):
    write(tmp_path, small())
    with (tmp_path / "addresses.csv").open("a") as file:
        file.write("deep,2015-01-01,2016-01-01,1 Bay Road, Qianhai,113.9,22.5,qianhai\n")
    found = read(tmp_path).findings
    assert [(it.line, it.code) for it in found] == [(6, "bad-row")]


def test_what_is_no_registry_is_told(tmp_path: Path):
    (tmp_path / "it.xlsx").write_bytes(b"no zip")
    for name, said in (("it.xlsx", "no .xlsx workbook"), ("none", "neither a folder")):
        with pytest.raises(Wrong, match=said):
            read(tmp_path / name)
    assert [it.code for it in read(tmp_path).findings] == ["missing-table"]
