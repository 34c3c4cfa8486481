"""Which cells of a table are not told, so that nobody learns of one company what only it knows.

A cell of few companies, or one that two of them nearly make up, is withheld (a primary). With the others and
the margins it could be reckoned, so more cells are withheld (complements) until no withheld cell follows
from what is told: not exactly, by linear algebra over all sums that hold, and not within a narrow range,
from any one sum of them. See A. Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

LEAST: Final = 3
"""Companies of a cell that is told. None at all is told: it tells of nobody."""
DOMINANT: Final = 2
DOMINATED: Final = Fraction(85, 100)
"""The (n, k) rule: the largest two may have at most 85 % of an amount."""
NEAR: Final = Fraction(10, 100)
"""From any one sum a withheld amount must be uncertain by at least this part of it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is the sum over `companies`; `largest`: the amounts of the largest of them, for an amount of
    money, else None. `hidden`: nobody tells it, but it can be reckoned (the rest of a city). `elsewhere`: it
    is told of another day too, so it is withheld last. `harmless`: it tells nothing of a company (how many
    are not labelled yet), and is never withheld."""

    value: Decimal
    companies: int
    largest: tuple[Decimal, ...] | None = None
    hidden: bool = False
    elsewhere: bool = False
    harmless: bool = False

    @property
    def least(self) -> int:
        """What anybody knows that it is at least, if it is withheld: a count of 0 would have been told."""
        return 1 if self.largest is None and not self.hidden else 0

    @property
    def doubt(self) -> Fraction:
        """By how much a guess at it must be able to err."""
        return Fraction(1) if self.largest is None else NEAR * abs(Fraction(self.value))


Sum = Mapping[str, int]
"""Cells with factors: the sum of the products is 0. A margin: {"all": -1, "base": 1, "rest": 1}."""


def primary(cell: Cell) -> str:
    """Why a cell cannot be told by itself, or ""."""
    if cell.harmless:
        return ""
    if 0 < cell.companies < LEAST:
        return f"suppressed: fewer than {LEAST} of them"
    if cell.largest is not None and cell.companies:
        largest = sum(map(Fraction, sorted(cell.largest, reverse=True)[:DOMINANT]))
        if largest > DOMINATED * Fraction(cell.value):
            return f"suppressed: {DOMINANT} companies have more than {int(DOMINATED * 100)} % of it"
    return ""


def suppress(cells: Mapping[str, Cell], sums: Sequence[Sum]) -> dict[str, str]:
    """The cells that are not told, with the reason of each. The same cells give the same answer."""
    reasons = {name: why for name, cell in cells.items() if (why := primary(cell))}
    complement = "suppressed: a suppressed figure could be reckoned from it"
    while chosen := _complement(cells, sums, reasons):
        reasons[chosen] = complement
    return {name: why for name, why in reasons.items() if not cells[name].hidden}


def solvable(unknown: Iterable[str], sums: Sequence[Sum]) -> dict[str, frozenset[str]]:
    """The unknown cells whose value follows from all others, and all cells of the sum that it follows
    from."""
    columns = sorted(unknown)
    rows = [
        dict.fromkeys(columns, Fraction(0)) | {name: Fraction(it) for name, it in row.items()} for row in sums
    ]
    done: list[tuple[str, dict[str, Fraction]]] = []
    for column in columns:
        found = next((row for row in rows if row[column]), None)
        if found is None:
            continue
        rows.remove(found)
        pivot = {name: it / found[column] for name, it in found.items() if it}
        rows = [_less(row, pivot, column) for row in rows]
        done = [(name, _less(row, pivot, column)) for name, row in done] + [(column, pivot)]
    known = set(columns)
    return {
        column: frozenset(name for name, it in row.items() if it)
        for column, row in done
        if not any(it for name, it in row.items() if name in known and name != column)
    }


def _less(row: Mapping[str, Fraction], pivot: Mapping[str, Fraction], column: str) -> dict[str, Fraction]:
    """The row with nothing of that column."""
    factor = row.get(column)
    if not factor:
        return dict(row)
    left = dict(row)
    for name, it in pivot.items():
        left[name] = left.get(name, Fraction(0)) - factor * it
    return left


def _complement(cells: Mapping[str, Cell], sums: Sequence[Sum], reasons: Mapping[str, str]) -> str | None:
    """One more cell that must be withheld; None where all that are withheld are safe."""
    hidden = {name for name, cell in cells.items() if cell.hidden}
    found = solvable(hidden | reasons.keys(), sums)
    exposed = [sorted(found[name]) for name in sorted(reasons.keys() & found.keys())]
    for names in (*exposed, *_narrow(cells, sums, reasons)):
        able = [it for it in names if it not in reasons and not (cells[it].hidden or cells[it].harmless)]
        if able:
            return min(able, key=lambda it: _cost(it, cells[it]))
    return None


def _narrow(
    cells: Mapping[str, Cell], sums: Sequence[Sum], reasons: Mapping[str, str]
) -> Iterator[list[str]]:
    """The sums from which a primary is known too well: what else is withheld leaves too little room for
    doubt."""
    for row in sums:
        parts = [
            name for name, factor in row.items() if factor > 0 and (name in reasons or cells[name].hidden)
        ]
        if any(name in reasons or cells[name].hidden for name, factor in row.items() if factor < 0):
            continue
        room = {name: Fraction(cells[name].value) - cells[name].least for name in parts}
        whole = sum(room.values())
        if any(primary(cells[name]) and whole - room[name] < cells[name].doubt for name in parts):
            yield sorted(row)


def _cost(name: str, cell: Cell) -> tuple[bool, bool, int, str]:
    """The cheapest is withheld: none of nobody, none that is told elsewhere, the fewest companies."""
    return cell.elsewhere, not cell.companies, cell.companies, name
