"""A document of facts, and what the law says of it on a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Final

from baygrid.core.law.conditions import Facts
from baygrid.core.law.decisions import NEEDS_FACT, Decision, Plan
from baygrid.core.law.facts import Kind, Value
from baygrid.core.reading import DocumentError, Problem, Wrong, shown
from baygrid.rulebooks.cross_border.book import book, facts
from baygrid.rulebooks.cross_border.lists import NONE, Lists

DIRECTION: Final = "direction"
_UNKNOWN: Final = "unknown"


def decide(document: object, as_of: date, lists: Lists = NONE) -> Decision:
    """Of a document of facts, for a transfer on `as_of`, with the lists that the operator has loaded. Raises
    DocumentError with every mistake, and NotLoaded of a day whose law is not."""
    return decide_facts(read_facts(document), as_of, lists)


def decide_facts(facts: Facts, as_of: date, lists: Lists = NONE) -> Decision:
    """Of facts that are read. Raises NotLoaded."""
    direction = facts.get(DIRECTION)
    if direction is None:
        return Decision("", as_of, NEEDS_FACT, "", (), (), (), (DIRECTION,), (), (), "", (), facts)
    return plan(str(direction), as_of, lists).decide(facts)


@lru_cache(maxsize=64)
def plan(direction: str, as_of: date, lists: Lists) -> Plan:
    """The table of a direction on a day. Raises NotLoaded."""
    return Plan(book(direction).table, as_of, lists.on(as_of))


def read_facts(document: object) -> Facts:
    """By dotted name ("data.pi"). What is null or "unknown" is not there, and what is so unless somebody says
    otherwise is. Raises DocumentError with every mistake."""
    readers, unless_said = _readers()
    found = dict(unless_said)
    problems: list[Problem] = []
    if isinstance(document, Mapping):
        _read(document, "", readers, found, problems)
    else:
        problems.append(Problem("", f"must be a mapping of facts, not {shown(document)}"))
    if problems:
        raise DocumentError(tuple(problems))
    return found


_Readers = Mapping[str, Callable[[object], Value] | None]
"""By dotted name; None of what holds others."""


def _read(
    document: Mapping[object, object],
    at: str,
    readers: _Readers,
    found: dict[str, Value],
    problems: list[Problem],
) -> None:
    for key, value in document.items():
        name = f"{at}{key}"
        if name not in readers:
            problems.append(Problem(name, "no rule asks for it: see `baygrid law facts`"))
        elif value is None or value == _UNKNOWN:
            continue
        elif (read := readers[name]) is not None:
            try:
                found[name] = read(value)
            except Wrong as wrong:
                problems.append(Problem(name, str(wrong)))
        elif isinstance(value, Mapping):
            _read(value, f"{name}.", readers, found, problems)
        else:
            problems.append(Problem(name, f"must be a mapping of facts, not {shown(value)}"))


@cache
def _readers() -> tuple[_Readers, Mapping[str, Value]]:
    known, unless_said = facts()
    readers: dict[str, Callable[[object], Value] | None] = {}
    for name, fact in known.items():
        outer, dot, _ = name.partition(".")
        if dot:
            readers[outer] = None
        readers[name] = _word(fact.read) if fact.kind is Kind.TEXT else fact.read
    return readers, unless_said


def _word(read: Callable[[object], Value]) -> Callable[[object], Value]:
    """Names of places, zones and sectors are equal however they are written: "Credit reference" is
    credit-reference."""
    return lambda value: "-".join(str(read(value)).casefold().replace("_", " ").replace("-", " ").split())
