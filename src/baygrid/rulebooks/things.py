"""What a rulebook has on one day: rules, ways, duties, numbers, clauses, times for applications; each with
its article, whom it is for and what they have to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Final, TypeAlias

from baygrid.core.law.case import AnyOf
from baygrid.core.law.clauses import Clause
from baygrid.core.law.conditions import AtLeast, Condition, leaves
from baygrid.core.law.parameters import Dated, Parameters, Span
from baygrid.core.law.tables import Obligation, Said, Table
from baygrid.rulebooks.cross_border.book import NAMES as DIRECTIONS
from baygrid.rulebooks.cross_border.book import Book, book
from baygrid.rulebooks.measures.book import NAMES as MEASURES
from baygrid.rulebooks.measures.book import Rulebook, rulebook

AnyBook: TypeAlias = Book | Rulebook


def all_books() -> list[AnyBook]:
    """Of both sides of the border, and of measures."""
    return [*map(book, DIRECTIONS), *map(rulebook, MEASURES)]


DAY: Final = timedelta(days=1)
_NO_LAW: Final = ("draft", "example")
_PLACES: Final = {"CN-SZ": "Shenzhen", "CN-QH": "Qianhai"}
_PER: Final = {
    "claim": "a claim",
    "year": "an applicant and year",
    "applicant": "an applicant",
    "pool": "all in a year",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """`text` is as it is written, `says` has the numbers of the day in it: that a number changed is told
    once, as the number's. `todo`: what to do while it stands, `ends`: what to do before it ends."""

    kind: str
    name: str
    text: str
    says: str
    article: str
    who: str
    todo: str = ""
    by: str = ""
    ends: str = ""

    def verb(self, verb: str) -> str:
        return verb if self.kind == "applications" else f"{verb}s"


def days(book: AnyBook) -> Iterator[date]:
    """On which something in it is not as it was the day before."""
    for span in _table_spans(book.table) if isinstance(book, Book) else _measure_spans(book):
        if span.first is not None:
            yield span.first
        if span.last is not None and span.last < date.max:
            yield span.last + DAY


def _table_spans(table: Table) -> Iterator[Span]:
    yield from (it.span for it in chain(*table.parameters.values()))
    for rule in table.rules:
        yield from (rule.span, *(it.span for it in (*rule.basis, *rule.notes)))
    for option in table.options:
        yield from (option.span, *(it.span for it in option.basis))
    for duty in table.obligations.values():
        yield from (duty.span, *(it.span for it in duty.basis))


def _measure_spans(book: Rulebook) -> Iterator[Span]:
    yield from (it.span for it in chain(*book.parameters.values()))
    for clause in book.clauses:
        yield from (clause.validity, clause.window)


def things(book: AnyBook, day: date) -> Iterator[Thing]:
    """Drafts and examples are nobody's law, and a text that is not loaded has no days."""
    if isinstance(book, Rulebook):
        yield from _measure(book, day) if book.status not in _NO_LAW else ()
    else:
        yield from _law(book.table, day)


def _measure(book: Rulebook, day: date) -> Iterator[Thing]:
    place = _PLACES.get(book.jurisdiction, book.jurisdiction)
    ceilings = {cap.parameter for clause in book.clauses for cap in clause.caps}
    for name, it in _numbers(book.parameters, day).items():
        kind = "ceiling" if name in ceilings else "rate" if _is_rate(it) else "number"
        yield _number(kind, name, it, f"applicants in {place}", "Reckon claims from this day by it.")
    for clause in book.clauses:
        who = _who(clause, place)
        if clause.validity != Span() and day in clause.validity:
            says = _clause(book, clause, day)
            todo = f"See what it may give: baygrid measures check --rulebook {book.name}"
            if clause.formula is None:
                todo = "Read the text: no formula of it is loaded."
            last = "" if clause.validity.last is None else str(clause.validity.last)
            ends = "Apply by its last day."
            yield Thing("clause", clause.id, clause.title, says, clause.reference, who, todo, last, ends)
        if clause.window != Span() and day in clause.window:
            last = "" if clause.window.last is None else str(clause.window.last)
            yield Thing(
                "applications", clause.id, clause.title, clause.title, clause.reference, who, "Apply.", last
            )


def _who(clause: Clause, place: str) -> str:
    """Whom its conditions leave, as they say it."""
    if clause.formula is None:
        return f"applicants in {place}"
    says = [
        " or ".join(one.says for one in it.conditions) if isinstance(it, AnyOf) else it.says
        for it in clause.formula.conditions
    ]
    return ", if ".join([f"applicants in {place}", *says])


def _clause(book: Rulebook, clause: Clause, day: date) -> str:
    numbers = _numbers(book.parameters, day)
    most = [
        f"at most {_words(numbers[cap.parameter])} {book.currency} for {_PER[cap.over]}"
        for cap in clause.caps
        if cap.parameter in numbers
    ]
    return ", ".join([clause.title, *most])


def _law(table: Table, day: date) -> Iterator[Thing]:
    numbers = _numbers(table.parameters, day)
    texts = {name: _words(it) for name, it in numbers.items()}
    kinds = _kinds(table)
    for name, it in numbers.items():
        yield _number(
            kinds.get(name, "number"), name, it, "exporter", "Judge by it what runs and what is planned."
        )
    for rule in (it for it in table.rules if day in it.span):
        duties = [table.obligations[name] for name in rule.obligations]
        says = f"{rule.id}, {rule.outcome}: {rule.says.format_map(texts)}"
        todo, by = _first(duties, day, texts)
        yield Thing("rule", rule.id, rule.says, says, _basis(rule.basis, day), "exporter", todo, by)
        for note in (it for it in rule.notes if day in it.span and it.span != Span()):
            yield Thing("note", note.text, note.text, note.text, rule.id, "exporter")
    for option in (it for it in table.options if day in it.span):
        todo, by = _first([table.obligations[name] for name in option.obligations], day, texts)
        basis = _basis(option.basis, day)
        yield Thing(
            "way", option.name, option.says, f"{option.name}: {option.says}", basis, "exporter", todo, by
        )
    for duty in (it for it in table.obligations.values() if day in it.span):
        what = duty.what.format_map(texts)
        yield Thing(
            "duty", duty.id, duty.what, what, _basis(duty.basis, day), duty.by, what, _by(duty, texts)
        )


def _first(duties: Sequence[Obligation], day: date, texts: Mapping[str, str]) -> tuple[str, str]:
    """What must be done before anything leaves, and by when."""
    due = [it.what.format_map(texts) for it in duties if it.first_byte and day in it.span]
    return " ".join(due), "before anything leaves" if due else ""


def _by(duty: Obligation, texts: Mapping[str, str]) -> str:
    if duty.clock is None:
        return "before anything leaves" if duty.first_byte else ""
    unit = duty.clock.unit.replace("_", " ")
    return f"{texts[duty.clock.limit]} {unit} {'before' if duty.clock.before else 'after'} {duty.clock.since}"


def _basis(basis: tuple[Said, ...], day: date) -> str:
    return ", ".join(it.text for it in basis if day in it.span)


def _kinds(table: Table) -> dict[str, str]:
    """What each number is, by who reads it."""
    clocks = [it.clock for it in table.obligations.values() if it.clock is not None]
    conditions: list[Condition] = [it.when for it in table.rules]
    conditions += [it.when for it in table.options]
    conditions += [it.when for it in table.obligations.values()]
    limits = [leaf.limit for it in conditions for leaf in leaves(it) if isinstance(leaf, AtLeast)]
    return dict.fromkeys((it.limit for it in clocks), "time limit") | dict.fromkeys(limits, "threshold")


def _numbers(parameters: Parameters, day: date) -> dict[str, Dated]:
    return {name: it for name, values in parameters.items() for it in values if day in it.span}


def _number(kind: str, name: str, it: Dated, who: str, todo: str) -> Thing:
    return Thing(kind, name, str(it.value), f"{name} {_words(it)}", it.reference, who, todo)


def _is_rate(it: Dated) -> bool:
    return isinstance(it.value, Decimal) and 0 < it.value < 1


def _words(it: Dated) -> str:
    return f"{it.value:,}" if isinstance(it.value, Decimal) else str(it.value)
