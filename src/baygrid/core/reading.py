"""What every reader of a document shares: what is wrong with it and where, and parsers of single values.

A parser of one value takes it and returns the parsed value, or raises `Wrong` (or `UnitError`) with the
sentence that the user will read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from baygrid.core.units import parse_duration

MOST_PROBLEMS: Final = 100
"""After so many problems one line says how many more there are."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_LAST_MS: Final = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MS
_INSTANT: Final = "a date, a time and an offset such as 2026-12-01T08:00+08:00"
_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_NAME_CHARACTER: Final = re.compile(r"[-A-Za-z0-9_.]")

T = TypeVar("T")
Leaf = Callable[[object], T]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where ("resources.cpus", or "" for the whole document) and one sentence with the cure."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DocumentError(ValueError):
    """A document cannot be accepted; `problems` has every reason, in the order of the reading."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class Wrong(ValueError):
    """One value is refused; the message is the sentence for the user."""


def shown(value: object) -> str:
    """A value as a message shows it: short, printable, whatever it is."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else f"{value[:40]!r}..."
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else "a number of more than 19 digits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def not_text(key: object) -> str:
    """The problem of a field name that is not text; YAML reads true and 80 so."""
    return f"a field name must be text, not {shown(key)}: put it in quotes"


def is_name(text: str) -> bool:
    """The rule for names, of accelerator models too."""
    return len(text) <= 63 and _NAME.fullmatch(text) is not None


def name(value: object) -> str:
    """1 to 63 ASCII letters, digits, '-', '_' and '.', with a letter or digit at both ends."""
    if not isinstance(value, str):
        raise Wrong(f"must be a name, not {shown(value)}: put it in quotes if it is meant as text")
    if not 1 <= len(value) <= 63:
        raise Wrong(f"is {len(value)} characters long: use 1 to 63")
    if _NAME.fullmatch(value) is None:
        for character in value:
            if _NAME_CHARACTER.fullmatch(character) is None:
                raise Wrong(f"cannot have {character!r}: use only a to z, A to Z, 0 to 9, '-', '_' and '.'")
        raise Wrong(f"must begin and end with a letter or a digit, not {shown(value)}")
    return value


def whole(least: int, most: int) -> Leaf[int]:
    """A parser of whole numbers from `least` to `most`; true and 1.0 are not numbers here."""

    def number(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return value

    return number


def duration(least: int, most: int, limits: str) -> Leaf[int]:
    """A parser of lengths of time, in seconds from `least` to `most`; `limits` says that in words."""

    def parse(value: object) -> int:
        if not isinstance(value, str | int):
            raise Wrong(f"must be a length of time such as 1h30m or 90s, not {shown(value)}")
        seconds = parse_duration(value)
        if not least <= seconds <= most:
            raise Wrong(f"must be {limits}")
        return seconds

    return parse


def instant(value: object) -> int:
    """Milliseconds since 1970, UTC, of a moment in ISO 8601 with its offset."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        moment = None
    if not isinstance(moment, datetime):
        raise Wrong(f"must be {_INSTANT}, not {shown(value)}")
    if moment.tzinfo is None:
        raise Wrong(f"must say its offset from UTC: write {_INSTANT}")
    since = (moment - _EPOCH) // _MS
    if not 0 <= since <= _LAST_MS:
        raise Wrong(f"must be {_INSTANT}, not {moment.isoformat()}")
    return since


def format_instant(at: int) -> str:
    """A text that `instant` reads back: "2026-12-01T00:00:00.000Z"."""
    return (_EPOCH + at * _MS).isoformat(timespec="milliseconds").replace("+00:00", "Z")
