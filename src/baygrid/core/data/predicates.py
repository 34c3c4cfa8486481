"""Which files a condition lets one leave out, by their statistics alone: for hints of who reads, never for
what somebody may see.

A condition over the rows of a file can come out true, false or null (SQL's three values). What is computed
here is the set of outcomes that the statistics do not rule out; a file is left out only where true is none of
them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

Outcomes: TypeAlias = frozenset[bool | None]
ANYTHING: Final[Outcomes] = frozenset({True, False, None})


class Kind(StrEnum):
    """How values are compared. A literal says which of these it is; a column's Arrow type does."""

    WHOLE = "whole"
    REAL = "real"
    TEXT = "text"
    DAY = "day"
    INSTANT = "instant"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Compare:
    """`column` `op` `value`, op one of = < <= > >=. `narrow`: the column is read as 32 bits."""

    column: str
    op: str
    value: Any
    kind: Kind
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    column: str


@dataclass(frozen=True, slots=True)
class Not:
    of: Predicate


@dataclass(frozen=True, slots=True)
class All:
    of: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Some:
    of: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Unsure:
    """A part that cannot be judged: it rules nothing out."""


Predicate: TypeAlias = Compare | IsNull | Not | All | Some | Unsure


def outcomes(it: Predicate, stats: Mapping[str, Any], types: Mapping[str, str]) -> Outcomes:
    """What `it` can be over the rows of a file with these statistics (Delta's, of each file: `numRecords`,
    `minValues`, `maxValues`, `nullCount`). `types`: Arrow's, by column. Names of columns ignore case."""
    match it:
        case Compare():
            return _compared(it, stats, types)
        case IsNull():
            return _nulls(it.column, stats, types)
        case Not():
            return frozenset(None if one is None else not one for one in outcomes(it.of, stats, types))
        case All():
            return _joined([outcomes(one, stats, types) for one in it.of], stops=False)
        case Some():
            return _joined([outcomes(one, stats, types) for one in it.of], stops=True)
        case Unsure():
            return ANYTHING


def _joined(parts: list[Outcomes], *, stops: bool) -> Outcomes:
    """AND (`stops` False: one false makes all false) and OR, over each combination of the parts' outcomes."""
    found: Outcomes = frozenset({not stops})
    for part in parts:
        found = frozenset(_pair(one, other, stops) for one in found for other in part)
    return found


def _pair(one: bool | None, other: bool | None, stops: bool) -> bool | None:
    if stops in (one, other):
        return stops
    return None if None in (one, other) else not stops


def _nulls(name: str, stats: Mapping[str, Any], types: Mapping[str, str]) -> Outcomes:
    column, rows = _column(name, types), stats.get("numRecords")
    nulls = None if column is None else (stats.get("nullCount") or {}).get(column)
    if not isinstance(nulls, int) or not isinstance(rows, int):
        return frozenset({True, False})
    return frozenset({found for found, possible in ((True, nulls > 0), (False, nulls < rows)) if possible})


def _compared(it: Compare, stats: Mapping[str, Any], types: Mapping[str, str]) -> Outcomes:
    column = _column(it.column, types)
    if column is None or kind_of(types[column]) is not it.kind:
        return ANYTHING
    null: Outcomes = frozenset({None}) if True in _nulls(column, stats, types) else frozenset()
    if False not in _nulls(column, stats, types):
        return null
    span = _span(column, it.kind, stats)
    if span is None or (it.narrow and not -(2**31) <= span[0] <= span[1] < 2**31):
        return ANYTHING
    found = null | _within(it.op, it.value, *span)
    if it.kind is Kind.REAL:  # NaN is in no statistics, and engines differ on whether it is greater than all
        found |= {True, False} if it.op in (">", ">=") else {False}
    return found


def _within(op: str, value: Any, least: Any, most: Any) -> Outcomes:
    """Whether values from `least` to `most` can be, and can fail to be, `op` `value`."""
    match op:
        case "=":
            can, must = least <= value <= most, least == value == most
        case "<":
            can, must = least < value, most < value
        case "<=":
            can, must = least <= value, most <= value
        case ">":
            can, must = most > value, least > value
        case _:
            can, must = most >= value, least >= value
    return frozenset({found for found, possible in ((True, can), (False, not must)) if possible})


def _span(column: str, kind: Kind, stats: Mapping[str, Any]) -> tuple[Any, Any] | None:
    least = _value((stats.get("minValues") or {}).get(column), kind)
    most = _value((stats.get("maxValues") or {}).get(column), kind)
    if least is None or most is None:
        return None
    if kind is Kind.INSTANT:  # statistics may be cut to whole milliseconds
        most += timedelta(milliseconds=1)
    return least, most


def _value(said: Any, kind: Kind) -> Any:
    """A value of the statistics; None where it is none of this kind."""
    match kind:
        case Kind.FLAG:
            return said if isinstance(said, bool) else None
        case Kind.WHOLE:
            return said if isinstance(said, int) and not isinstance(said, bool) else None
        case Kind.REAL:
            return said if isinstance(said, (int, float)) and not isinstance(said, bool) else None
    if not isinstance(said, str):
        return None
    try:
        return parse(said, kind)
    except ValueError:
        return None


def parse(text: str, kind: Kind) -> Any:
    """A literal's text. Raises ValueError, also for a real number that is none."""
    match kind:
        case Kind.WHOLE:
            return int(text)
        case Kind.REAL:
            number = float(text)
            if number != number:
                raise ValueError("not a number")
            return number
        case Kind.DAY:
            return date.fromisoformat(text)
        case Kind.INSTANT:
            instant = datetime.fromisoformat(text)
            return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
        case Kind.FLAG:
            if text.lower() not in ("true", "false"):
                raise ValueError("not true or false")
            return text.lower() == "true"
    return text


def kind_of(type: str) -> Kind | None:
    """How values of this Arrow type are compared; None: not here."""
    if type in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"):
        return Kind.WHOLE
    if type in ("float", "double"):
        return Kind.REAL
    if type in ("string", "large_string", "string_view"):
        return Kind.TEXT
    if type == "date32[day]":
        return Kind.DAY
    if type.startswith("timestamp["):
        return Kind.INSTANT
    return Kind.FLAG if type == "bool" else None


def _column(name: str, types: Mapping[str, str]) -> str | None:
    """None where there is no such column, or two that differ in case only."""
    same = [column for column in types if column.lower() == name.lower()]
    return same[0] if len(same) == 1 else None
