"""Rows of the plain form as values: each cell is judged, and a row that does not fit says all that is
wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from baygrid.core.reading import Wrong, name, shown
from baygrid.core.region.bodies import FIELDS, LANGUAGES, LAYERS, Body, Kind, Label, Labelled, Return, Spell
from baygrid.core.region.codes import Scheme, read_code

T = TypeVar("T")
Row = Mapping[str, str]
Value = Body | Spell | Label | Return

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "bodies": (
        *("id", "kind", "scheme", "code", "name_zh_hans", "name_zh_hant", "name_en", "name_ja"),
        *("founded", "dissolved", "hk_funded", "synthetic", "scope"),
    ),
    "addresses": ("body", "since", "until", "address", "lon", "lat", "district"),
    "labels": ("body", "kind", "value", "since", "until", "evidence", "source", "by"),
    "returns": ("body", "population", "zone", "period", "measure", "value", "unit", "source", "received"),
}
"""The tables, each a file or a sheet."""
ZONES: Final = "zones.json"
FILES: Final = (*(f"{table}.csv" for table in COLUMNS), ZONES)
"""A registry in a folder."""

OPTIONAL: Final = frozenset({"scope"})
"""A table may lack these columns."""

UNITS: Final = ("CNY", "HKD", "persons", "companies", "km2", "1")
MOST_TEXT: Final = 2_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ERRORS: Final = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
_PERIOD: Final = re.compile(r"[0-9]{4}(Q[1-4]|-(0[1-9]|1[0-2]))?")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SERIAL: Final = re.compile(r"[0-9]{4,5}(\.0+)?")
_SERIAL_ZERO: Final = date(1899, 12, 30)
_OTHER_DATE: Final = re.compile(r"([0-9]{4})[/.年-]([0-9]{1,2})[/.月-]([0-9]{1,2})日?")
_FIRST_SERIAL: Final = 10_000  # 1927; less is more likely a year


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a row, in one sentence with the cure. `line`: of the file, with the header as 1; 0
    where it is about the whole file. `keepable`: a person may say that it is right as it is."""

    table: str
    line: int
    body: str
    code: str
    message: str
    keepable: bool = False


class _Cells:
    """The cells of one row; collects what is wrong with them."""

    def __init__(self, table: str, line: int, row: Row) -> None:
        self.row, self.findings = row, list[Finding]()
        self._table, self._line = table, line
        self._body = body_of(table, row)

    def read(self, column: str, leaf: Callable[[str], T], default: T) -> T:
        """The cell by `leaf`; `default` where it is wrong."""
        text = self.row.get(column, "").strip()
        try:
            if len(text) > MOST_TEXT:
                raise Wrong(f"has {len(text)} characters: at most {MOST_TEXT} fit")
            return leaf(text)
        except Wrong as wrong:
            self.wrong(_CODES.get(type(wrong), "bad-cell"), f"{column}: {wrong}")
            return default

    def maybe(self, column: str, leaf: Callable[[str], T]) -> T | None:
        """The same; None where it is empty."""
        text = self.row.get(column)
        return self.read(column, leaf, None) if text and not text.isspace() else None

    def wrong(self, code: str, message: str) -> None:
        self.findings.append(Finding(self._table, self._line, self._body, code, message))


class ExcelDay(Wrong):
    """A number that a spreadsheet shows as a date."""


class BadCode(Wrong):
    """A code whose form or check digit does not hold."""


_CODES: Final[Mapping[type[Wrong], str]] = {ExcelDay: "excel-date", BadCode: "bad-code"}


def body_of(table: str, row: Row) -> str:
    """Of which body a row is, as far as that can be said before it is judged; "" of an aggregate."""
    return row.get("id" if table == "bodies" else "body", "").strip()[:63]


def read_row(table: str, line: int, row: Row) -> Value | list[Finding]:
    """The value of a row of this table, or all that is wrong with it."""
    cells = _Cells(table, line, row)
    made = _READERS[table](cells)
    return cells.findings or made


def _body(cells: _Cells) -> Body:
    scheme = cells.maybe("scheme", _SCHEME)
    code = cells.read("code", _code(scheme), "")
    names = {language: text for language in LANGUAGES if (text := cells.maybe(f"name_{language}", _text))}
    founded = cells.maybe("founded", day)
    dissolved = cells.maybe("dissolved", day)
    if not names:
        cells.wrong("no-name", "a body has a name in at least one language: fill one of the name columns")
    if founded and dissolved and dissolved < founded:
        cells.wrong("bad-period", f"dissolved {dissolved} is before founded {founded}: swap or correct them")
    return Body(
        cells.read("id", name, ""),
        cells.read("kind", _KIND, Kind.COMPANY),
        scheme,
        code,
        names,
        founded,
        dissolved,
        cells.maybe("hk_funded", _yes_no),
        cells.maybe("synthetic", _yes_no) or False,
        cells.maybe("scope", _text) or "",
    )


def _spell(cells: _Cells) -> Spell:
    lon = cells.maybe("lon", _LON)
    lat = cells.maybe("lat", _LAT)
    if (lon is None) != (lat is None):
        cells.wrong("bad-point", "lon and lat go together: fill both or leave both empty")
    return Spell(
        cells.read("body", name, ""),
        *_period(cells),
        cells.read("address", _said, ""),
        lon,
        lat,
        cells.maybe("district", _text) or "",
    )


def _label(cells: _Cells) -> Label:
    kind = cells.read("kind", _LABELLED, Labelled.FIELD)
    known = LAYERS if kind is Labelled.LAYER else FIELDS
    return Label(
        cells.read("body", name, ""),
        kind,
        cells.read("value", _among(known), ""),
        *_period(cells),
        cells.maybe("evidence", _text) or "",
        cells.maybe("source", _text) or "",
        cells.read("by", _said, ""),
    )


def _return(cells: _Cells) -> Return:
    body = cells.maybe("body", name) or ""
    zone = cells.maybe("zone", _text) or ""
    if not body and not zone:
        cells.wrong("bad-cell", "zone: a published aggregate has no body, so say of which zone it is")
    return Return(
        body,
        cells.read("population", _word, ""),
        zone,
        cells.read("period", _of_period, ""),
        cells.read("measure", _word, ""),
        cells.read("value", _decimal, Decimal(0)),
        cells.read("unit", _UNIT, ""),
        cells.read("source", _said, ""),
        cells.read("received", day, date.min),
    )


_READERS: Final[Mapping[str, Callable[[_Cells], Value]]] = {
    "bodies": _body,
    "addresses": _spell,
    "labels": _label,
    "returns": _return,
}


def _period(cells: _Cells) -> tuple[date | None, date | None]:
    since = cells.maybe("since", day)
    until = cells.maybe("until", day)
    if since and until and until <= since:
        cells.wrong(
            "bad-period",
            f"until {until} is not after since {since}: until is the first day on which it is over",
        )
    return since, until


def day(text: str) -> date:
    """A day as 2023-12-31. A spreadsheet's number of a day is not guessed at, but its reading is told."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Wrong(f"{text} is no day of the calendar") from None
    if _SERIAL.fullmatch(text) and (number := int(text.partition(".")[0])) >= _FIRST_SERIAL:
        meant = _SERIAL_ZERO + timedelta(days=number)
        raise ExcelDay(
            f"{text} is how Excel counts days, {meant.isoformat()} if its years begin in 1900: write"
            f" {meant.isoformat()}, or format the column as a date"
        )
    parts = _OTHER_DATE.fullmatch(text)
    if parts:
        meant_text = f"{parts[1]}-{parts[2]:0>2}-{parts[3]:0>2}"
        raise Wrong(f"{shown(text)} is not written as a day: write {meant_text}")
    raise Wrong(f"must be a day such as 2023-12-31, not {shown(text)}")


def _text(text: str) -> str:
    control = _CONTROL.search(text)
    if control:
        raise Wrong(f"has the control character {ord(control[0])}: take it out")
    if text in _ERRORS:
        raise Wrong(f"is {text}, a spreadsheet's error: mend its formula, or write the value itself")
    return " ".join(text.split())


def _said(text: str) -> str:
    if not text:
        raise Wrong("is empty: it must be said")
    return _text(text)


def _one_of(kind: type[T]) -> Callable[[str], T]:
    known: Any = kind
    leaf = _among(tuple(it.value for it in known))
    return lambda text: known(leaf(text))


def _among(known: tuple[str, ...]) -> Callable[[str], str]:
    def leaf(text: str) -> str:
        if text not in known:
            raise Wrong(f"must be one of {', '.join(known)}, not {shown(text)}")
        return text

    return leaf


def _code(scheme: Scheme | None) -> Callable[[str], str]:
    def leaf(text: str) -> str:
        if scheme is None:
            if text:
                raise Wrong("has no scheme: write uscc, hk_br or hk_cr into scheme")
            return ""
        try:
            return read_code(scheme, text)
        except Wrong as wrong:
            raise BadCode(str(wrong)) from None

    return leaf


def _yes_no(text: str) -> bool:
    lower = text.lower()  # a spreadsheet writes TRUE
    if lower not in ("true", "false"):
        raise Wrong(f"must be true or false, not {shown(text)}")
    return lower == "true"


def _degrees(most: int) -> Callable[[str], float]:
    def leaf(text: str) -> float:
        number = _decimal(text)
        if abs(number) > most:
            hint = ": are lon and lat swapped?" if most == 90 else ""
            raise Wrong(f"must be degrees from -{most} to {most}, not {text}{hint}")
        return float(number)

    return leaf


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30 or not re.fullmatch(r"[-+0-9.Ee]+", text):
        hint = ": write digits and a point, without thousands separators" if re.search("[0-9]", text) else ""
        raise Wrong(f"must be a number, not {shown(text)}{hint}")
    return number


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise Wrong(f"must be a word such as ai_companies (a to z, 0 to 9, _), not {shown(text)}")
    return text


def _of_period(text: str) -> str:
    if not _PERIOD.fullmatch(text):
        raise Wrong(f"must be a year, a quarter or a month such as 2023, 2023Q1, 2023-01, not {shown(text)}")
    return text


_SCHEME: Final = _one_of(Scheme)
_KIND: Final = _one_of(Kind)
_LABELLED: Final = _one_of(Labelled)
_LON: Final = _degrees(180)
_LAT: Final = _degrees(90)
_UNIT: Final = _among(UNITS)
