"""A rulebook of measures as it is read: `rulebook.yaml` (dated numbers, days, facts, sources), `clauses.py`
(conditions and formulas). Neither may have what the other does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import Any, Final

from pydantic import Field

from baygrid.core.law.clauses import Cap, Clause, Formula, Over
from baygrid.core.law.facts import Fact
from baygrid.core.law.parameters import Parameters, Span
from baygrid.rulebooks.written import ALWAYS, Raw, RawFact, RawSpan, RawValue, RulebookError, load, parameters

NAMES: Final = (
    "shenzhen-2024",
    "qianhai-v2",
    "qianhai-v1",
    "qianhai-draft",
    "qianhai-talent",
    "qianhai-pilots",
    "example",
)


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


class _RawClause(Raw):
    title: str
    reference: str
    note: str = ""
    validity: RawSpan | None = None
    support: RawSpan = ALWAYS
    happened: str = ""
    window: RawSpan = ALWAYS
    caps: dict[str, Over] = Field(default_factory=dict)
    once: bool = False
    cost: str = ""


class _RawBook(Raw):
    title: str
    original: str
    jurisdiction: str
    currency: str
    status: str
    reference: str
    validity: RawSpan = ALWAYS
    facts: dict[str, RawFact] = Field(default_factory=dict)
    parameters: dict[str, list[RawValue]] = Field(default_factory=dict)
    clauses: dict[str, _RawClause]


@cache
def rulebook(name: str) -> Rulebook:
    """Raises KeyError where there is none of that name, and RulebookError."""
    if name not in NAMES:
        raise KeyError(name)
    return read(name, load(text(name, "rulebook.yaml")), formulas(name))


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
        {key: it.fact(key) for key, it in raw.facts.items()},
        parameters(name, raw.parameters),
        tuple(_clause(key, it, raw.validity, formulas) for key, it in raw.clauses.items()),
    )
    _check(found, formulas)
    return found


def _clause(key: str, raw: _RawClause, whole: RawSpan, formulas: Mapping[str, Formula]) -> Clause:
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
