"""A document of facts, and what the law says of it on a day."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, cast

from baygrid.core.law.conditions import AtLeast, Facts, leaves
from baygrid.core.law.decisions import NEEDS_FACT, Decision
from baygrid.core.law.facts import MOST_COUNT, Fact, Kind, Value
from baygrid.core.law.parameters import value_on
from baygrid.core.law.plan import Plan
from baygrid.core.reading import DocumentError, Problem, Wrong, shown, whole
from baygrid.rulebooks.cross_border.book import COUNTED_FROM, Book, book, facts
from baygrid.rulebooks.cross_border.contradictions import contradictions
from baygrid.rulebooks.cross_border.lists import NONE, Lists

DIRECTION: Final = "direction"
_UNKNOWN: Final = "unknown"


def decide(document: object, as_of: date, lists: Lists = NONE) -> Decision:
    """Of a document of facts, for a transfer on `as_of`, with the lists that the operator has loaded. Raises
    DocumentError with every mistake, and NotLoaded of a day whose law is not."""
    return decide_facts(read_facts(document), as_of, lists)


def decide_stated(document: object, as_of: date, lists: Lists = NONE) -> Decision:
    """`decide`, of what one person says of one transfer. Raises DocumentError also where facts contradict
    each other: those of several sources may, and the stricter rule counts then."""
    facts = read_facts(document)
    problems = contradictions(facts)
    if problems:
        raise DocumentError(problems)
    return decide_facts(facts, as_of, lists)


def decide_facts(facts: Facts, as_of: date, lists: Lists = NONE) -> Decision:
    """Of facts that are read. Raises NotLoaded."""
    direction = facts.get(DIRECTION)
    if direction is None:
        return Decision("", as_of, NEEDS_FACT, "", (), (), (), (DIRECTION,), (), (), "", (), facts)
    return plan(str(direction), as_of, lists).decide(facts)


_CODE: Final = re.compile(r"[a-z]{2}")


@lru_cache(maxsize=64)
def plan(direction: str, as_of: date, lists: Lists) -> Plan:
    """The table of a direction on a day. Raises NotLoaded."""
    return Plan(book(direction).table, as_of, lists.on(as_of))


@dataclass(frozen=True, slots=True)
class Line:
    """A count of persons ("ytd_after.spi") that reaches `limit` changes what the law says."""

    count: str
    limit: int
    reference: str


def lines(as_of: date) -> tuple[Line, ...]:
    """Of the mainland's table on that day, for who warns before one is crossed. Raises NotLoaded."""
    found = {
        Line(count, int(cast(Decimal, dated.value)), dated.reference)
        for ruling in plan("cn_out", as_of, NONE).rulings
        for it in leaves(ruling.rule.when)
        if isinstance(it, AtLeast)
        for dated in [value_on(book("cn_out").table.parameters, it.limit, as_of)]
        for count in it.counts
    }
    return tuple(sorted(found, key=lambda it: (it.count, it.limit)))


def counted_since(as_of: date, law: Book | None = None) -> date:
    """The day from which persons are counted for the mainland's thresholds. Raises Lapsed of a day whose law
    is not loaded."""
    dated = value_on((law or book("cn_out")).table.parameters, COUNTED_FROM, as_of)
    return date(as_of.year - int(cast(Decimal, dated.value)), 1, 1)


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
    problems += [
        Problem(name, f"must be cn, hk or another country's code, not {shown(found[name])}")
        for name in ("exporter.jurisdiction", "recipient.jurisdiction")
        if name in found and _CODE.fullmatch(str(found[name])) is None
    ]
    if problems:
        raise DocumentError(tuple(problems))
    return found


class _Reader(NamedTuple):
    name: str
    read: Callable[[object], Value]


_Readers = Mapping[str, "_Reader | _Readers"]
"""As documents nest them."""


def _read(
    document: Mapping[Any, object],
    at: str,
    readers: _Readers,
    found: dict[str, Value],
    problems: list[Problem],
) -> None:
    for key, value in document.items():
        reader = readers.get(key)
        if reader is None:
            problems.append(Problem(f"{at}{key}", "no rule asks for it: see `baygrid law facts`"))
        elif value is None or value == _UNKNOWN:
            continue
        elif isinstance(reader, _Reader):
            try:
                found[reader.name] = reader.read(value)
            except Wrong as wrong:
                problems.append(Problem(reader.name, str(wrong)))
        elif isinstance(value, Mapping):
            _read(value, f"{at}{key}.", reader, found, problems)
        else:
            problems.append(Problem(f"{at}{key}", f"must be a mapping of facts, not {shown(value)}"))


@cache
def _readers() -> tuple[_Readers, Mapping[str, Value]]:
    known, unless_said = facts()
    readers: dict[str, Any] = {}
    for name, fact in known.items():
        *outer, last = name.split(".")
        here = readers
        for part in outer:
            here = here.setdefault(part, {})
        here[last] = _Reader(name, _reading(fact))
    return readers, unless_said


def _reading(fact: Fact) -> Callable[[object], Value]:
    """Persons are whole numbers, of which nothing is computed but sums."""
    if fact.kind is Kind.COUNT:
        return whole(0, MOST_COUNT)
    return _word(fact.read) if fact.kind is Kind.TEXT else fact.read


def _word(read: Callable[[object], Value]) -> Callable[[object], Value]:
    return lambda value: _same(str(read(value)))


@lru_cache(maxsize=4096)
def _same(text: str) -> str:
    """Names of places, zones and sectors are equal however they are written: "Credit reference" is
    credit-reference."""
    return "-".join(text.casefold().replace("_", " ").replace("-", " ").split())
