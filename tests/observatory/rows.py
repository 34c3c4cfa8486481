"""A small registry as files, to be spoilt by tests; and what files come to, row by row."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from baygrid.core.region.bodies import Body, Label, Return, Spell, Zone
from baygrid.core.region.codes import check_character
from baygrid.core.region.rows import COLUMNS, Finding, read_row
from baygrid.observatory.plain import raw, zones_of
from baygrid.observatory.spreadsheets import source

Rows = dict[str, list[dict[str, str]]]
INSIDE = {"lon": "113.85", "lat": "22.52"}  # of the schematic Qianhai
CITY = {"lon": "114.05", "lat": "22.55"}  # of the schematic Shenzhen, not of Qianhai


def code(number: int) -> str:
    """A unified social credit code with a check digit that holds."""
    first = f"91440300MA{number:07d}"
    return first + check_character(first)


def small() -> Rows:
    """Two companies (the second moves into Qianhai), a university, figures of one and of all."""
    return {
        "bodies": [
            body("deep", code(1), zh_hans="深圳市深蓝视觉科技有限公司", en="Deep Blue Vision Ltd"),
            body("rail", code(2), zh_hans="前海智运物流有限公司", founded="2019-03-01"),
            body("univ", "", zh_hant="香港灣區大學", kind="university", scheme=""),
        ],
        "addresses": [
            address("deep", "2020-01-01", "", **INSIDE),
            address("rail", "2019-03-01", "2023-06-01", **CITY),
            address("rail", "2023-06-01", "", **INSIDE),
            address("univ", "", "", district="前海"),
        ],
        "labels": [label("deep", "layer", "technology"), label("deep", "field", "machine_vision")],
        "returns": [figure("deep", "4500000"), figure("", "221300000000", population="information_services")],
    }


def body(id: str, code: str, *, kind: str = "company", scheme: str = "uscc", **given: str) -> dict[str, str]:
    """`given`: names by language, and other columns."""
    named = {
        (f"name_{key}" if key in ("zh_hans", "zh_hant", "en", "ja") else key): value
        for key, value in given.items()
    }
    return {"id": id, "kind": kind, "scheme": scheme, "code": code, "synthetic": "true", **named}


def address(body: str, since: str, until: str, **given: str) -> dict[str, str]:
    return {"body": body, "since": since, "until": until, "address": f"{body}'s house", **given}


def label(body: str, kind: str, value: str, **given: str) -> dict[str, str]:
    return {"body": body, "kind": kind, "value": value, "by": "classifier", **given}


def figure(body: str, value: str, **given: str) -> dict[str, str]:
    return {
        "body": body,
        "population": "ai_companies",
        "zone": "qianhai",
        "period": "2023",
        "measure": "revenue",
        "value": value,
        "unit": "CNY",
        "source": "a test",
        "received": "2024-03-27",
    } | given


def schematic_zones() -> bytes:
    return files("baygrid.observatory").joinpath("schematic_zones.json").read_bytes()


def write(folder: Path, rows: Rows, *, separator: str = ",", encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    for table, lines in rows.items():
        with (folder / f"{table}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[table], restval="", delimiter=separator)
            writer.writeheader()
            writer.writerows(lines)
    (folder / "zones.json").write_bytes(schematic_zones())
    return folder


def workbook(path: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """The same as sheets; values may be those of a spreadsheet (dates, numbers)."""
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    for table, lines in rows.items():
        sheet = book.create_sheet(table)
        sheet.append(COLUMNS[table])
        for line in lines:
            sheet.append([line.get(column) for column in COLUMNS[table]])
    book.save(path)
    return path


@dataclass
class Plain:
    """All values of some files in their order, and a finding for what is none."""

    bodies: list[Body] = field(default_factory=list)
    addresses: list[Spell] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read(path: Path) -> Plain:
    plain, given = Plain(), source(path)
    for table in COLUMNS:
        values = getattr(plain, table)
        for line, row, wrong in raw(given, table):
            made = [wrong] if wrong else read_row(table, line, row)
            if isinstance(made, list):
                plain.findings += made
            else:
                values.append(made)
    plain.zones, found = zones_of(given)
    plain.findings += found
    return plain
