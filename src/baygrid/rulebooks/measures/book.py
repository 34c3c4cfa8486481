"""A rulebook of measures as it is read: `rulebook.yaml` (dated numbers, days, facts, sources), `clauses.py`
(conditions and formulas). Neither may have what the other does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module, resources
from itertools import pairwise
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from baygrid.core.law.clauses import Cap, Clause, Formula, Over
from baygrid.core.law.facts import Fact, Kind
from baygrid.core.law.parameters import Dated, Parameters, Span

NAMES: Final = (
    "shenzhen-2024",
    "qianhai-v2",
    "qianhai-v1",
    "qianhai-draft",
    "qianhai-talent",
    "qianhai-pilots",
    "example",
)


class RulebookError(ValueError):
    """A rulebook contradicts itself; the message says where."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """`status`: "in force", "replaced", "draft" (a consultation's: it never was law), "not loaded" (no text
    of it is), or "example" (nobody's law). `original`: the text's own title."""

    name: str
    title: str
    original: str
    jurisdiction: str
    currency: str
    status: str
    reference: str
    facts: Mapping[str, Fact]
    parameters: Parameters
    clauses: tuple[Clause, ...]


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _RawSpan(_Raw):
    """From a day to a day, both in it."""

    first: date | None = Field(default=None, validation_alias="from")
    last: date | None = Field(default=None, validation_alias="to")

    def span(self) -> Span:
        return Span(self.first, self.last)


_ALWAYS: Final = _RawSpan()


class _RawValue(_RawSpan):
    value: Decimal | date = Field(union_mode="left_to_right")
    reference: str


class _RawFact(_Raw):
    kind: Kind
    question: str
    choices: tuple[str, ...] = ()


class _RawClause(_Raw):
    title: str
    reference: str
    note: str = ""
    validity: _RawSpan | None = None
    support: _RawSpan = _ALWAYS
    happened: str = ""
    window: _RawSpan = _ALWAYS
    caps: dict[str, Over] = {}
    once: bool = False
    cost: str = ""


class _RawBook(_Raw):
    title: str
    original: str
    jurisdiction: str
    currency: str
    status: str
    reference: str
    validity: _RawSpan = _ALWAYS
    facts: dict[str, _RawFact] = {}
    parameters: dict[str, list[_RawValue]] = {}
    clauses: dict[str, _RawClause]


class _Text(yaml.SafeLoader):
    """Numbers stay as they are written, so that no amount is ever a binary fraction."""


_Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:float"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def rulebook(name: str) -> Rulebook:
    """Raises KeyError where there is none of that name, and RulebookError."""
    if name not in NAMES:
        raise KeyError(name)
    return read(name, yaml.load(text(name, "rulebook.yaml"), _Text), formulas(name))


def text(name: str, file: str) -> str:
    """Of a file in the rulebook's folder."""
    return resources.files(_package(name)).joinpath(file).read_text(encoding="utf-8")


def formulas(name: str) -> Mapping[str, Formula]:
    """What is code of the rulebook, by clause."""
    found: Mapping[str, Formula] = import_module(f"{_package(name)}.clauses").FORMULAS
    return found


def _package(name: str) -> str:
    return f"baygrid.rulebooks.measures.{name.replace('-', '_')}"


def read(name: str, document: Any, formulas: Mapping[str, Formula]) -> Rulebook:
    """Raises RulebookError, and pydantic's ValidationError for what no rulebook has."""
    raw = _RawBook.model_validate(document)
    found = Rulebook(
        name,
        raw.title,
        raw.original,
        raw.jurisdiction,
        raw.currency,
        raw.status,
        raw.reference,
        {key: Fact(key, it.kind, it.question, it.choices) for key, it in raw.facts.items()},
        {key: tuple(_dated(values)) for key, values in raw.parameters.items()},
        tuple(_clause(key, it, raw.validity, formulas) for key, it in raw.clauses.items()),
    )
    _check(found, formulas)
    return found


def _dated(values: list[_RawValue]) -> Iterator[Dated]:
    for value in values:
        yield Dated(value.value, value.span(), value.reference)


def _clause(key: str, raw: _RawClause, whole: _RawSpan, formulas: Mapping[str, Formula]) -> Clause:
    return Clause(
        key,
        raw.title,
        raw.reference,
        formulas.get(key),
        raw.note,
        (raw.validity or whole).span(),
        raw.support.span(),
        raw.happened,
        raw.window.span(),
        tuple(Cap(parameter, over) for parameter, over in raw.caps.items()),
        raw.once,
        raw.cost,
    )


def _check(book: Rulebook, formulas: Mapping[str, Formula]) -> None:
    if stray := formulas.keys() - {clause.id for clause in book.clauses}:
        raise RulebookError(f"{book.name}: formulas of no clause: {', '.join(sorted(stray))}")
    for clause in book.clauses:
        if clause.formula is None and not clause.note:
            raise RulebookError(
                f"{book.name}: {clause.id} has no formula and does not say what is not loaded"
            )
        if clause.formula is not None and clause.support != Span() and not clause.happened:
            raise RulebookError(f"{book.name}: {clause.id} supports some days, but not the days of what")
        for cap in clause.caps:
            if cap.parameter not in book.parameters:
                raise RulebookError(
                    f"{book.name}: {clause.id} is capped by {cap.parameter}, which is not there"
                )
        for fact in filter(None, (clause.happened, clause.cost)):
            if fact not in book.facts:
                raise RulebookError(f"{book.name}: {clause.id} asks for {fact}, which is no fact")
    for name, values in book.parameters.items():
        for before, after in pairwise(values):
            if before.span.last is None or after.span.first is None or before.span.last >= after.span.first:
                raise RulebookError(f"{book.name}: values of {name} overlap or are out of order")
