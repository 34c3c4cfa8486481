"""Reading an operator's document: goes on after a mistake and tells them all, with place and cure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, TypeVar

from baygrid.core.reading import MOST_PROBLEMS, DocumentError, Leaf, Problem, Wrong, not_text, shown
from baygrid.core.units import UnitError

_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

T = TypeVar("T")


class Part:
    """A value with its path in the document. All parts of a document share one list of mistakes. A null
    counts as not given."""

    __slots__ = ("_found", "path", "value")

    def __init__(self, value: object, path: str = "", found: list[Problem] | None = None) -> None:
        self.value, self.path = value, path
        self._found: list[Problem] = [] if found is None else found

    def refuse(self, message: str) -> None:
        """A mistake at this place."""
        self._found.append(Problem(self.path, message))

    def raise_any(self) -> None:
        """Raises DocumentError if anything in the document was refused."""
        more = len(self._found) - MOST_PROBLEMS
        if more > 0:
            self._found[MOST_PROBLEMS:] = [Problem("", f"there are {more} more problems of these kinds")]
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
                self.refuse(not_text(key))
        return {key: value for key, value in self.value.items() if isinstance(key, str)}

    def _at(self, key: str, value: object) -> Part:
        return Part(value, f"{self.path}.{key}" if self.path else key, self._found)


def node_name(value: object) -> str:
    """As centres call their nodes."""
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 253:
        raise Wrong(f"must be the name of a node, not {shown(value)}")
    return value


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


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
