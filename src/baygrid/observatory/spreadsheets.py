"""Rows of CSV files and of Excel workbooks as text, cell by cell, whoever wrote them.

What a spreadsheet program does to a file is undone where that is certain (byte-order mark, semicolons, dates
that are dates), and left for the reader of cells to refuse where it is not (a date as a bare number).
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, Protocol
from xml.etree import ElementTree

from baygrid.core.reading import Wrong
from baygrid.core.region.rows import ZONES

MOST_UNPACKED: Final = 2 * 1024**3
"""A workbook may unpack to so many bytes: it is a zip, and a small one may hold a large one."""
MOST_TEXTS: Final = 256 * 1024**2
"""And to so many beside its sheets: that is held in memory."""
MOST_ROWS: Final = 1_048_576
"""Excel's own limit. A row may say any number of itself, and all rows before it are passed one by one."""
MOST_COLUMNS: Final = 256
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, ElementTree.ParseError, ArithmeticError, AttributeError, EOFError,
    KeyError, IndexError, NotImplementedError, OSError, TypeError, ValueError,
)  # fmt: skip
"""What comes of a workbook that is none, or not whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """`number`: of the file, with the header as 1."""

    number: int
    cells: tuple[str, ...]


class Source(Protocol):
    """Where the tables lie."""

    def has(self, table: str) -> bool: ...

    def lines(self, table: str) -> Iterator[Line]:
        """The header first; blank lines left out. Raises Wrong for what cannot be read at all."""
        ...

    def zones(self) -> bytes | None:
        """zones.json, where it comes along."""
        ...


def source(path: Path) -> Source:
    """A folder of CSV files or one .xlsx workbook. Raises Wrong."""
    if path.is_dir():
        return Folder({it.name: it for it in path.iterdir() if it.is_file()})
    if path.suffix.lower() == ".xlsx":
        return Workbook(path)
    raise Wrong(f"{path.name} is neither a folder of CSV files nor an .xlsx workbook: name one of these")


class Folder:
    """CSV files by their names."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files

    def has(self, table: str) -> bool:
        return f"{table}.csv" in self._files

    def lines(self, table: str) -> Iterator[Line]:
        path = self._files[f"{table}.csv"]
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=_delimiter(file.readline()), strict=True)
                file.seek(0)
                for cells in reader:
                    if any(cells):
                        yield Line(reader.line_num - sum(it.count("\n") for it in cells), tuple(cells))
        except UnicodeDecodeError:
            raise Wrong("is not UTF-8: in Excel, save it as `CSV UTF-8`") from None
        except csv.Error as error:
            raise Wrong(f"is no CSV: {error}; a cell with quotes in it doubles them") from None

    def zones(self) -> bytes | None:
        path = self._files.get(ZONES)
        return None if path is None else path.read_bytes()


def _delimiter(header: str) -> str:
    """Excel writes semicolons, or tabs, where a comma is the decimal sign of its language."""
    return max(",;\t", key=header.count)


class Workbook:
    """Sheets of one .xlsx by their names. Read row by row; only its texts are held in memory."""

    def __init__(self, path: Path) -> None:
        from openpyxl import load_workbook  # not by every start

        try:
            with zipfile.ZipFile(path) as packed:
                _check_sizes(packed.infolist())
            self._book = load_workbook(path, read_only=True, data_only=True)
        except Wrong:
            raise
        except _BROKEN as error:
            raise Wrong(f"is no .xlsx workbook ({error}): save it anew as .xlsx, or as CSV") from None
        self._sheets = {str(it.title).strip().lower(): it for it in self._book.worksheets}

    def has(self, table: str) -> bool:
        return table in self._sheets

    def lines(self, table: str) -> Iterator[Line]:
        sheet = self._sheets[table]
        sheet.reset_dimensions()  # what a program says of them may be too small
        rows: Iterable[Sequence[Any]] = sheet.iter_rows(
            max_row=MOST_ROWS, max_col=MOST_COLUMNS + 1, values_only=True
        )
        try:
            for number, row in enumerate(rows, 1):
                cells = [_cell(it) for it in row]
                while cells and not cells[-1]:
                    cells.pop()
                if len(cells) > MOST_COLUMNS:
                    raise Wrong(f"has more than {MOST_COLUMNS} columns in row {number}")
                if cells:
                    yield Line(number, tuple(cells))
        except Wrong:
            raise
        except _BROKEN as error:
            raise Wrong(f"is damaged ({error}): save it anew as .xlsx, or as CSV") from None

    def zones(self) -> bytes | None:
        return None


def _check_sizes(parts: Sequence[zipfile.ZipInfo]) -> None:
    """What they say is held to: no part gives more bytes than it says. Raises Wrong."""
    for most, sizes in (
        (MOST_UNPACKED, [it.file_size for it in parts]),
        (MOST_TEXTS, [it.file_size for it in parts if not it.filename.startswith("xl/worksheets/")]),
    ):
        if sum(sizes) > most:
            raise Wrong(f"unpacks to more than {most // 1024**2} MiB: give CSV files instead")


def _cell(value: object) -> str:
    """A cell as its text would stand in a CSV file of ours."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 1e15:  # beyond that digits are lost, and it shows
            return str(int(value))
        case _:
            return str(value)
