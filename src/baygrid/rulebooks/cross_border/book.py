"""A table of cross-border law as it is read: `rulebook.yaml` and `rules.py`. Neither may have what the other
does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module, resources
from itertools import combinations
from string import Formatter
from typing import Any, Final, Literal

from pydantic import Field

from baygrid.core.law.conditions import ALWAYS, AtLeast, Condition, leaves, reads
from baygrid.core.law.facts import Fact, Value
from baygrid.core.law.parameters import Span
from baygrid.core.law.tables import Clock, Obligation, Option, Rule, Said, Table
from baygrid.rulebooks import written
from baygrid.rulebooks.cross_border.outcomes import Outcome
from baygrid.rulebooks.written import Raw, RawFact, RawSpan, RawValue, RulebookError

NAMES: Final[Mapping[str, str]] = {"cn_out": "cn", "hk_out": "hk"}
"""The folder of each direction's table."""

CHOICE: Final = "choice"
COUNTED_FROM: Final = "counts_from_years_before"
"""The number of years before this one from whose 1 January persons are counted."""

PASSES: Final = frozenset({Outcome.FREE.value, Outcome.EXEMPT.value})


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is code of a table, by the names of its YAML."""

    rules: Mapping[str, Condition]
    options: Mapping[str, Condition]
    obligations: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list that an operator may load; `note`: what is known of it."""

    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Book:
    """A table, with what stands beside it."""

    title: str
    law: str
    loaded_by: str
    lists: Mapping[str, ListKind]
    table: Table


class _Loaded(RawSpan):
    reference: str


class _Said(RawSpan):
    says: str


class _Clock(Raw):
    number: str
    unit: Literal["working_days", "years"]
    calendar: Literal["", "cn", "hk"] = ""
    after: str = ""
    before: str = ""


class _Rule(RawSpan):
    says: str
    outcome: Outcome
    basis: list[str | _Said]
    obligations: list[str] = Field(default_factory=list)
    options: list[str] = Field(default_factory=list)
    review: list[str] = Field(default_factory=list)
    notes: list[str | _Said] = Field(default_factory=list)


class _Option(RawSpan):
    name: str
    says: str
    basis: list[str | _Said]
    obligations: list[str]


class _Obligation(RawSpan):
    what: str
    by: str
    basis: list[str | _Said]
    first_byte: bool = False
    clock: _Clock | None = None


class _List(Raw):
    title: str
    note: str


class _Book(Raw):
    title: str
    law: str
    loaded: _Loaded
    parameters: dict[str, list[RawValue]]
    lists: dict[str, _List] = Field(default_factory=dict)
    rules: dict[str, _Rule]
    options: dict[str, _Option]
    obligations: dict[str, _Obligation]


class _Fact(RawFact):
    unless_said: bool | None = None


@cache
def book(direction: str) -> Book:
    """Raises KeyError where there is none, and RulebookError."""
    folder = NAMES[direction]
    return read(direction, written.load(text(f"{folder}/rulebook.yaml")), conditions(direction))


def text(file: str) -> str:
    """Of a file beside this one."""
    return resources.files("baygrid.rulebooks.cross_border").joinpath(file).read_text(encoding="utf-8")


def conditions(direction: str) -> Conditions:
    code = import_module(f"baygrid.rulebooks.cross_border.{NAMES[direction]}.rules")
    return Conditions(code.RULES, code.OPTIONS, code.OBLIGATIONS)


@cache
def facts() -> tuple[Mapping[str, Fact], Mapping[str, Value]]:
    """All facts by name, and what is so of some unless somebody says otherwise."""
    raw = {name: _Fact.model_validate(it) for name, it in written.load(text("facts.yaml")).items()}
    unless_said = {name: it.unless_said for name, it in raw.items() if it.unless_said is not None}
    return {name: it.fact(name) for name, it in raw.items()}, unless_said


def read(direction: str, document: Any, code: Conditions) -> Book:
    """Raises RulebookError, and pydantic's ValidationError for what no rulebook has."""
    raw = _Book.model_validate(document)
    known, _ = facts()
    table = Table(
        direction,
        raw.title,
        raw.loaded.span(),
        tuple(_rule(name, it, code) for name, it in raw.rules.items()),
        tuple(
            Option(it.name, it.says, code.options[key], _said(it.basis), tuple(it.obligations), it.span())
            for key, it in raw.options.items()
        ),
        {name: _obligation(name, it, code) for name, it in raw.obligations.items()},
        written.parameters(direction, raw.parameters),
        known,
        PASSES,
        CHOICE,
    )
    _check(table, raw, code)
    lists = {name: ListKind(it.title, it.note) for name, it in raw.lists.items()}
    return Book(raw.title, raw.law, raw.loaded.reference, lists, table)


def _rule(name: str, raw: _Rule, code: Conditions) -> Rule:
    if name not in code.rules:
        raise RulebookError(f"{name} has no condition")
    return Rule(
        name,
        raw.says,
        code.rules[name],
        raw.outcome.value,
        _said(raw.basis),
        tuple(raw.obligations),
        tuple(raw.options),
        tuple(raw.review),
        _said(raw.notes),
        raw.span(),
    )


def _obligation(name: str, raw: _Obligation, code: Conditions) -> Obligation:
    clock = None if raw.clock is None else _clock(raw.clock)
    when = code.obligations.get(name, ALWAYS)
    return Obligation(name, raw.what, raw.by, _said(raw.basis), clock, raw.first_byte, when, raw.span())


def _clock(raw: _Clock) -> Clock:
    return Clock(raw.number, raw.unit, raw.calendar, raw.before or raw.after, bool(raw.before))


def _said(raw: list[str | _Said]) -> tuple[Said, ...]:
    return tuple(Said(it) if isinstance(it, str) else Said(it.says, it.span()) for it in raw)


def _check(table: Table, raw: _Book, code: Conditions) -> None:
    """Every name that one place uses, another must have."""
    wanted: dict[str, tuple[set[str], set[str]]] = {
        "conditions of no rule": (set(code.rules), set(raw.rules)),
        "conditions of no option": (set(code.options), set(raw.options)),
        "conditions of no obligation": (set(code.obligations), set(raw.obligations)),
        "options that are not there": (
            {name for it in table.rules for name in it.options + it.review},
            {it.name for it in table.options},
        ),
        "obligations that are not there": (set(_obliged(table)), set(raw.obligations)),
        "obligations of nothing": (set(raw.obligations), set(_obliged(table))),
        "facts that nobody asks for": (
            {name for it in _all_conditions(table) for name in reads(it)},
            set(table.facts),
        ),
        "numbers that are not there": (set(_numbers(table)), set(raw.parameters)),
        "numbers that nobody uses": (set(raw.parameters), {*_numbers(table), COUNTED_FROM}),
    }
    for what, (used, there) in wanted.items():
        if stray := used - there:
            raise RulebookError(f"{table.name}: {what}: {', '.join(sorted(stray))}")
    for one, other in combinations(table.options, 2):
        if one.name == other.name and _overlap(one.span, other.span):
            raise RulebookError(f"{table.name}: two options {one.name} on the same day")


def _overlap(one: Span, other: Span) -> bool:
    first = max(one.first or date.min, other.first or date.min)
    return first <= min(one.last or date.max, other.last or date.max)


def _obliged(table: Table) -> Iterator[str]:
    for rule in table.rules:
        yield from rule.obligations
    for option in table.options:
        yield from option.obligations


def _all_conditions(table: Table) -> Iterator[Condition]:
    yield from (it.when for it in table.rules)
    yield from (it.when for it in table.options)
    yield from (it.when for it in table.obligations.values())


def _numbers(table: Table) -> Iterator[str]:
    for condition in _all_conditions(table):
        yield from (it.limit for it in leaves(condition) if isinstance(it, AtLeast))
    for obligation in table.obligations.values():
        if obligation.clock is not None:
            yield obligation.clock.limit
    for says in (*(it.says for it in table.rules), *(it.what for it in table.obligations.values())):
        yield from (name for _, name, _, _ in Formatter().parse(says) if name)
