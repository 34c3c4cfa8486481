"""What several kinds of letters have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.papers.letter import Column, Letter, Sum, Table
from baygrid.papers.words import Words

Document = Mapping[str, Any]


def finished(
    document: Document,
    words: Words,
    sample: bool,
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Table],
    sums: Sequence[Sum],
    notes: Sequence[str],
) -> Letter:
    number = document.get("number", "")
    return Letter(
        words.language,
        words(document["kind"]),
        number,
        words("page", number=number or document["project"]),
        words("sample") if sample else "",
        (
            *([(words("number"), number)] if number else []),
            *facts,
            (words("issued"), words.day(document["issued_at"])),
            (words("currency"), document["currency"]),
        ),
        tuple(table for table in tables if table.rows),
        tuple(it for it in sums if it.label and it.amount),
        tuple(words(note) for note in notes),
    )


def others(doc: Document, words: Words) -> Table:
    rows = tuple((words.day(it["at"]), _what(it), money(words, it["amount"])) for it in doc.get("others", ()))
    columns = (
        Column(words("date")),
        Column(words("what"), wide=True),
        Column(words("amount"), figures=True),
    )
    return Table(words("others"), columns, rows)


def _what(other: Document) -> str:
    """With the project that it is for, where the paper is of several."""
    return f"{other['what']} ({other['project']})" if "project" in other else str(other["what"])


def customer(words: Words, customer: Document) -> str:
    return f"{customer['title']} ({words.known(customer['kind'], customer['kind'])})"


def when(doc: Document, words: Words) -> list[tuple[str, str]]:
    month = Month.parse(doc["month"])
    days = f"{words.date(month.first_day)} – {words.date(month.last_day)}"
    return [(words("month"), words.month(month)), (words("period"), days)]


def tax_label(words: Words, word: str, tax: Document) -> str:
    return words(word, name=tax["name"], rate=words.percent(Fraction(tax["rate"])))


def total_of(words: Words, label: str, text: str, *, main: bool = True) -> list[Sum]:
    """In Chinese also in capitals."""
    return [
        Sum(words(label), with_currency(words, text) if main else money(words, text), main),
        Sum(words("in-capitals"), words.capitals(Money.parse(text))),
    ]


def with_currency(words: Words, text: str) -> str:
    """With its currency."""
    return f"{text.rpartition(' ')[2]} {money(words, text)}"


def money(words: Words, text: str) -> str:
    return words.money(Money.parse(text))
