"""What rules ask about: declared facts, and values read exactly. A fact not given is unknown, never no."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from baygrid.core.reading import DocumentError, Problem, Wrong, shown, whole

Value = bool | int | Decimal | date | str

_DIGITS: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
MOST_TEXT: Final = 200
MOST_COUNT: Final = 1_000_000_000
_count: Final = whole(0, MOST_COUNT)
_EXACT: Final = 15
"""Significant digits that a number of a document's (a binary float of 64 bits) keeps whatever they are."""


class Kind(StrEnum):
    YES_NO = "yes-no"
    COUNT = "count"
    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    TEXT = "text"


class Missing(LookupError):
    """A rule reads a fact that is not known; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that rules may ask: `question` is for a person; `choices` of a CHOICE; MONEY is in major
    units of the rulebook's currency with at most two decimals, NUMBER and COUNT are not negative."""

    name: str
    kind: Kind
    question: str
    choices: tuple[str, ...] = ()

    def read(self, value: object) -> Value:
        """Raises Wrong."""
        match self.kind:
            case Kind.YES_NO:
                if not isinstance(value, bool):
                    raise Wrong(f"must be true or false, not {shown(value)}")
                return value
            case Kind.COUNT:
                return Decimal(_count(value))
            case Kind.MONEY:
                return money(value)
            case Kind.NUMBER:
                return _number(value)
            case Kind.DATE:
                return day(value)
            case Kind.TEXT:
                if not isinstance(value, str) or not 1 <= len(value) <= MOST_TEXT:
                    raise Wrong(f"must be a text of 1 to {MOST_TEXT} characters, not {shown(value)}")
                return value
            case Kind.CHOICE:
                if value not in self.choices:
                    raise Wrong(f"must be one of {', '.join(self.choices)}, not {shown(value)}")
                return str(value)


def read_facts(document: Mapping[str, object], known: Mapping[str, Fact], at: str = "") -> dict[str, Value]:
    """By name. null is the same as not given. Raises DocumentError with every mistake."""
    found: dict[str, Value] = {}
    problems = []
    for name, value in document.items():
        path = f"{at}{name}"
        if name not in known:
            problems.append(
                Problem(path, "no clause of this rulebook asks for it: see `baygrid measures facts`")
            )
        elif value is not None:
            try:
                found[name] = known[name].read(value)
            except Wrong as wrong:
                problems.append(Problem(path, str(wrong)))
    if problems:
        raise DocumentError(tuple(problems))
    return found


def money(value: object) -> Decimal:
    """An exact amount of major units, from 0, with at most two decimals. Raises Wrong."""
    amount = _number(value)
    if amount != round(amount, 2):
        raise Wrong(f"has more than two decimals: {shown(value)}")
    return amount


def day(value: object) -> date:
    """Of a date, or of "2024-12-18". Raises Wrong."""
    if isinstance(value, str):
        value = _of_iso(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Wrong(f"must be a day such as 2024-12-18, not {shown(value)}")
    return value


def _of_iso(text: str) -> object:
    """Itself where it is no date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _number(value: object) -> Decimal:
    if isinstance(value, float) and len(f"{value!r}".replace(".", "").strip("-0")) > _EXACT:
        raise Wrong(f"has too many digits to be exact as a number: write it in quotes, {value!r} was read")
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Wrong(f"must be a number, not {shown(value)}")
    text = str(value) if isinstance(value, Decimal) else text
    if _DIGITS.fullmatch(text) is None or text.startswith("-"):
        raise Wrong(f"must be a number from 0 such as 3000000 or 3000000.50, not {shown(value)}")
    return Decimal(text)
