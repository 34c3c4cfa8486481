"""What a rulebook would cost: every clause over a table of companies, exact to the cent."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from baygrid.core.law.clauses import ZERO, Applicant, Clause, Over, Status, find
from baygrid.core.law.facts import Fact, Kind, Value
from baygrid.core.law.parameters import value_on
from baygrid.core.reading import DocumentError, Problem, Wrong, shown
from baygrid.rulebooks.measures.book import Rulebook
from baygrid.rulebooks.measures.lanes import Column, Lanes, each

COMPANY = "company"
"""The one column that is no fact."""
MOST_PROBLEMS: Final = 20
MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one clause on one day: how many companies stand how, the sum of the ceilings of those that are
    eligible, and what they cost at most in the year: that sum, or the pool where that is less. Of whom a fact
    is missing costs nothing here, and may cost something."""

    clause: str
    counts: Mapping[Status, int]
    ceilings: Decimal
    pool: Decimal | None
    at_most: Decimal


def simulate(book: Rulebook, columns: Mapping[str, Column], count: int, as_of: date) -> list[Cost]:
    return [_cost(book, clause, columns, count, as_of) for clause in book.clauses]


def _cost(book: Rulebook, clause: Clause, columns: Mapping[str, Column], count: int, as_of: date) -> Cost:
    counts: Counter[Status] = Counter()
    total = ZERO
    decided = each(columns, count, lambda facts: find(clause, Applicant(facts), book.parameters, as_of))
    for here, finding in decided:
        counts[finding.status] += len(here)
        total += _sum(finding.ceiling, len(here))
    pools = [cap.parameter for cap in clause.caps if cap.over is Over.POOL]
    pool = None
    if pools and clause.formula is not None and as_of in clause.validity:
        pool = min(_number(book, name, as_of) for name in pools)
    return Cost(clause.id, counts, total, pool, total if pool is None else min(total, pool))


def _sum(ceiling: object, count: int) -> Decimal:
    """Of one for each, of one that all share, or of none."""
    if isinstance(ceiling, Lanes):
        return sum(ceiling.values, ZERO)
    return ceiling * count if isinstance(ceiling, Decimal) else ZERO


def _number(book: Rulebook, name: str, as_of: date) -> Decimal:
    value = value_on(book.parameters, name, as_of).value
    assert isinstance(value, Decimal), name
    return value


def read_table(lines: Iterable[str], facts: Mapping[str, Fact]) -> tuple[dict[str, Column], int]:
    """Of CSV with a line of names: facts by column, and how many companies. An empty cell is not known.
    Raises DocumentError with the first mistakes; then nothing is taken."""
    try:
        return _read(csv.reader(lines), facts)
    except csv.Error as error:
        raise DocumentError((Problem("", f"is no CSV: {error}"),)) from None


def _read(rows: Iterator[list[str]], facts: Mapping[str, Fact]) -> tuple[dict[str, Column], int]:
    names = [name.removeprefix("\ufeff") for name in next(rows, [])]  # with which spreadsheets begin a file
    problems = [] if names else [Problem("", "is empty: its first line must name the facts")]
    problems += [
        Problem(name, "is no fact of this rulebook: see `baygrid measures facts`")
        for name in names
        if name not in facts and name != COMPANY
    ]
    if len(set(names)) < len(names):
        problems.append(Problem("", "two columns have the same name"))
    cells: list[list[Value | None]] = [[] for _ in names]
    for number, row in enumerate(rows, 2):
        if problems and len(problems) >= MOST_PROBLEMS:
            break
        if not row:
            continue
        if len(row) != len(names):
            problems.append(Problem(f"line {number}", f"has {len(row)} cells, not {len(names)}"))
            continue
        for name, text, column in zip(names, row, cells, strict=True):
            try:
                column.append(_cell(facts[name], text) if name in facts else None)
            except Wrong as wrong:
                problems.append(Problem(f"line {number}, {name}", str(wrong)))
    if problems:
        raise DocumentError(tuple(problems))
    columns = {name: _column(values) for name, values in zip(names, cells, strict=True) if name in facts}
    return columns, max(map(len, cells), default=0)


def _cell(fact: Fact, text: str) -> Value | None:
    """Raises Wrong."""
    text = text.strip()
    if not text:
        return None
    if fact.kind is Kind.YES_NO:
        if text.lower() not in ("true", "false"):
            raise Wrong(f"must be true or false, not {shown(text)}")
        return text.lower() == "true"
    if fact.kind is Kind.COUNT and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return fact.read(int(text))
    return fact.read(text)


def _column(values: list[Value | None]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
