"""What is wrong with a job file, collected: a reader that goes on after a mistake and tells them all.

A parser of a part with a path of its own takes (value, path, found) and adds its problems to `found`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from baygrid.core.reading import MOST_PROBLEMS, DocumentError, Leaf, Problem, Wrong, not_text, shown
from baygrid.core.units import UnitError

MOST_GUESSES: Final = 10

T = TypeVar("T")
D = TypeVar("D")


class Problems:
    """The problems found so far."""

    __slots__ = ("_found", "_more")

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._more = 0

    def add(self, path: str, message: str) -> None:
        if len(self._found) < MOST_PROBLEMS:
            self._found.append(Problem(path, message))
        else:
            self._more += 1

    @property
    def count(self) -> int:
        """How many problems were added."""
        return len(self._found) + self._more

    def first(self) -> Problem:
        """The problem that was added first."""
        return self._found[0]

    def attempt(self, path: str, parser: Leaf[T], value: object) -> T | None:
        """What `parser` makes of the value; None, and a problem at `path`, if it refuses it."""
        try:
            return parser(value)
        except (Wrong, UnitError) as wrong:
            self.add(path, str(wrong))
            return None

    def raise_any(self) -> None:
        """Raise `DocumentError` if there is any problem."""
        if self._more:
            self._found.append(Problem("", f"there are {self._more} more problems of these kinds"))
        if self._found:
            raise DocumentError(tuple(self._found))


Part = Callable[[object, str, Problems], T]


class Section:
    """A mapping with known fields, at `path`. A null field counts as one that is not given.

    `others`: words that users of other systems may write here, and the field that they mean.
    """

    __slots__ = ("found", "path", "values")

    def __init__(
        self,
        value: object,
        path: str,
        known: Collection[str],
        found: Problems,
        others: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path, self.found = path, found
        self.values: Mapping[object, object] = {}
        if isinstance(value, dict | Mapping):
            self.values = value
            if not all(key in known for key in value):
                self._unknown(known, others)
        elif value is not None:
            found.add(path, f"must be a mapping with the fields {', '.join(known)}, not {shown(value)}")

    def _unknown(self, known: Collection[str], others: Mapping[str, str]) -> None:
        guesses = 0
        meant = {**others, **{name: name for name in known}}
        for key in self.values:
            if not isinstance(key, str):
                self.found.add(self.path, not_text(key))
            elif key not in known:
                guesses += 1
                near = difflib.get_close_matches(key[:40], meant, 1) if guesses <= MOST_GUESSES else []
                cure = (
                    f"did you mean '{meant[near[0]]}'?" if near else f"the fields here are {', '.join(known)}"
                )
                self.found.add(self.path, f"unknown field {shown(key)}: {cure}")

    def at(self, key: str) -> str:
        """The path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def leaf(self, key: str, parser: Leaf[T], default: T) -> T:
        """The parsed field; `default` if it is not given or refused (then a problem was added)."""
        value = self.values.get(key)
        if value is None:
            return default
        parsed = self.found.attempt(self.at(key), parser, value)
        return default if parsed is None else parsed

    def part(self, key: str, parser: Part[T], default: D) -> T | D:
        """Like `leaf`, for a parser that adds its own problems."""
        value = self.values.get(key)
        return default if value is None else parser(value, self.at(key), self.found)

    def needed(self, key: str, parser: Leaf[T], default: T, cure: str) -> T:
        """Like `leaf`, for a field that must be there; `default` only stands in after a problem."""
        if self.values.get(key) is None:
            self.found.add(self.at(key), f"is missing: {cure}")
            return default
        return self.leaf(key, parser, default)
