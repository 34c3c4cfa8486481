"""Reading an operator's document: goes on after a mistake and tells them all, with place and cure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, TypeVar

from baygrid.core.units import UnitError, parse_duration

MOST_MISTAKES: Final = 100
"""After so many, one line says how many more there are."""
_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")
_LAST: Final = 253_402_214_400_000  # the last day of the year 9999, in ms

T = TypeVar("T")
Leaf = Callable[[object], T]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where ("queues.train.cohort", or "" for the whole document), and one sentence with the cure."""

    path: str
    message: str


class DocumentError(ValueError):
    """A document cannot be accepted; `mistakes` has all of them, in the order of the reading."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join(f"{m.path}: {m.message}" if m.path else m.message for m in self.mistakes)


class Wrong(ValueError):
    """One value is refused; the message is the sentence for the user."""


class Part:
    """A value with its path in the document. All parts of a document share one list of mistakes. A null
    counts as not given."""

    __slots__ = ("_found", "path", "value")

    def __init__(self, value: object, path: str = "", found: list[Mistake] | None = None) -> None:
        self.value, self.path = value, path
        self._found: list[Mistake] = [] if found is None else found

    def refuse(self, message: str) -> None:
        """A mistake at this place."""
        self._found.append(Mistake(self.path, message))

    def raise_any(self) -> None:
        """Raises DocumentError if anything in the document was refused."""
        more = len(self._found) - MOST_MISTAKES
        if more > 0:
            self._found[MOST_MISTAKES:] = [Mistake("", f"there are {more} more mistakes")]
        if self._found:
            raise DocumentError(tuple(self._found))

    def read(self, parser: Leaf[T], default: T) -> T:
        """What `parser` makes of the value; `default` if there is none, or if it refuses it."""
        if self.value is None:
            return default
        try:
            return parser(self.value)
        except (Wrong, UnitError) as wrong:
            self.refuse(str(wrong))
            return default

    def needed(self, parser: Leaf[T], default: T, cure: str) -> T:
        """Like `read`, where there must be one; `default` only stands in after a mistake."""
        if self.value is None:
            self.refuse(f"is missing: {cure}")
        return self.read(parser, default)

    def fields(self, *known: str) -> Mapping[str, Part]:
        """The parts of a mapping with these fields; one that is not given is null. Others are refused."""
        given = self._mapping(f"a mapping with the fields {', '.join(known)}")
        for key in given:
            if key not in known:
                near = difflib.get_close_matches(key[:40], known, 1)
                cure = f"did you mean '{near[0]}'?" if near else f"the fields here are {', '.join(known)}"
                self.refuse(f"unknown field {shown(key)}: {cure}")
        return {key: self._at(key, given.get(key)) for key in known}

    def entries(self, key: Leaf[T]) -> list[tuple[T, Part]]:
        """The parts of a mapping whose keys the user chooses."""
        found = []
        for text, value in self._mapping("a mapping").items():
            part = self._at(text, value)
            try:
                found.append((key(text), part))
            except Wrong as wrong:
                part.refuse(str(wrong))
        return found

    def items(self) -> list[Part]:
        """The parts of a list."""
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            self.refuse(f"must be a list, not {shown(self.value)}")
            return []
        return [Part(value, f"{self.path}[{n}]", self._found) for n, value in enumerate(self.value)]

    def each(self, parser: Leaf[T]) -> tuple[T, ...]:
        """The items of a list, all different, but for those that `parser` refuses."""
        seen: dict[T, None] = {}
        for item in self.items():
            before = len(self._found)
            value = item.needed(parser, None, "take it out")
            if value is not None and value in seen:
                item.refuse(f"{shown(item.value)} is listed twice: take one out")
            elif value is not None and len(self._found) == before:
                seen[value] = None
        return tuple(seen)

    def _mapping(self, what: str) -> dict[str, object]:
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            self.refuse(f"must be {what}, not {shown(self.value)}")
            return {}
        for key in self.value:
            if not isinstance(key, str):
                self.refuse(f"a name must be text, not {shown(key)}: put words such as on and no in quotes")
        return {key: value for key, value in self.value.items() if isinstance(key, str)}

    def _at(self, key: str, value: object) -> Part:
        return Part(value, f"{self.path}.{key}" if self.path else key, self._found)


def name(value: object) -> str:
    """1 to 63 ASCII letters, digits, '-', '_' and '.', with a letter or digit at both ends."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise Wrong(f"must be a name of 1 to 63 letters, digits, '-', '_' and '.', not {shown(value)}")
    return value


def node_name(value: object) -> str:
    """As centres call their nodes."""
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 253:
        raise Wrong(f"must be the name of a node, not {shown(value)}")
    return value


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


def whole(least: int, most: int) -> Leaf[int]:
    """A parser of whole numbers from `least` to `most`."""

    def number(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Wrong(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return value

    return number


def number(value: object) -> Fraction:
    """Zero or more, exactly as it is written: a number, or a text of one."""
    text = value
    if type(value) is float or (type(value) is int and value.bit_length() <= 32):
        text = repr(value)
    if not isinstance(text, str) or _NUMBER.fullmatch(text) is None:
        raise Wrong(f"must be a number such as 0.8, with at most 9 decimals, not {shown(value)}")
    return Fraction(text)


def number_from(least: Fraction | int, most: int, what: str) -> Leaf[Fraction]:
    """A parser of numbers from `least` to `most`; `what` says that in words."""

    def parse(value: object) -> Fraction:
        found = number(value)
        if not least <= found <= most:
            raise Wrong(f"must be {what}, not {shown(value)}")
        return found

    return parse


def thousandths(value: object) -> int:
    """An amount of accelerators or cpus with at most three decimals, in thousandths."""
    amount = number(value) * 1000
    if amount.denominator != 1:
        raise Wrong(f"must have at most three decimals, not {shown(value)}")
    return amount.numerator


def duration(least: int, most: int, what: str) -> Leaf[int]:
    """A parser of lengths of time in seconds; `what` says the limits in words."""

    def parse(value: object) -> int:
        if not isinstance(value, str | int):
            raise Wrong(f"must be a length of time such as 7d or 12h, not {shown(value)}")
        seconds = parse_duration(value)
        if not least <= seconds <= most:
            raise Wrong(f"must be {what}")
        return seconds

    return parse


def instant(value: object) -> int:
    """Milliseconds since 1970 from RFC 3339 with an offset."""
    cure = "must be a time with its offset, such as 2026-12-01T08:00:00+08:00"
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Wrong(f"{cure}, not {shown(value)}")
    since = (at - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= since < _LAST:
        raise Wrong(f"{cure}, from 1970 to 9999")
    return since


def by_hour(parser: Leaf[T]) -> Leaf[tuple[T, ...]]:
    """A parser of one value for the whole day, or 24, one for each hour of the UTC day."""

    def parse(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            return (parser(value),) * 24
        if len(value) != 24:
            raise Wrong(f"must be one value, or 24 for the hours of the UTC day, not {len(value)}")
        return tuple(map(parser, value))

    return parse


def one_of(words: Mapping[str, T]) -> Leaf[T]:
    """A parser of known words."""

    def parse(value: object) -> T:
        if not isinstance(value, str) or value not in words:
            raise Wrong(f"must be {' or '.join(words)}, not {shown(value)}")
        return words[value]

    return parse


def shown(value: object) -> str:
    """A value as a message shows it: short, whatever it is."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else f"{value[:40]!r}..."
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else f"a {type(value).__name__}"
