"""Nobody who has all that is told can reckon what is not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.indicators.suppress import LEAST, NEAR, Cell, Sum, primary, suppress

ROWS, COLUMNS = ("a", "b", "c"), ("x", "y", "z", "w")


def counts(**numbers: int) -> dict[str, Cell]:
    return {name: Cell(Decimal(number), number) for name, number in numbers.items()}


def amount(*values: int) -> Cell:
    ordered = sorted(map(Decimal, values), reverse=True)
    return Cell(sum(ordered, Decimal(0)), len(values), tuple(ordered[:2]))


def solved(cells: dict[str, Cell], sums: list[Sum], withheld: set[str]) -> set[str]:
    """The attacker: all published cells are known, the others are unknowns of the sums. One is known if its
    unit vector adds nothing to the rank of the system."""
    unknown = sorted(withheld | {name for name, cell in cells.items() if cell.hidden})
    system = np.array([[row.get(name, 0) for name in unknown] for row in sums], float).reshape(len(sums), -1)
    rank = np.linalg.matrix_rank(system) if system.size else 0
    found = set()
    for number, name in enumerate(unknown):
        unit = np.eye(1, len(unknown), number)
        if np.linalg.matrix_rank(np.vstack([system, unit])) == rank:
            found.add(name)
    return found


@st.composite
def tables(draw) -> tuple[dict[str, Cell], list[Sum]]:
    """Zones by layers with all margins, some rows of which nobody tells; or the same of money."""
    money, hidden = draw(st.booleans()), draw(st.sets(st.sampled_from(ROWS), max_size=2))
    rows, columns = ROWS[: draw(st.integers(1, 3))], COLUMNS[: draw(st.integers(1, 4))]
    companies = st.lists(st.integers(1, 50), max_size=6) if money else st.lists(st.just(1), max_size=8)
    inner = {(row, column): draw(companies) for row in rows for column in columns}
    everything = dict(inner)
    for row in rows:
        everything[row, "all"] = [it for column in columns for it in inner[row, column]]
    for column in (*columns, "all"):
        everything["all", column] = [it for row in rows for it in everything[row, column]]
    cells = {}
    for (row, column), values in everything.items():
        made = amount(*values) if money else Cell(Decimal(len(values)), len(values))
        cells[f"{row}.{column}"] = Cell(made.value, made.companies, made.largest, hidden=row in hidden)
    sums: list[Sum] = [{f"{row}.all": -1} | {f"{row}.{it}": 1 for it in columns} for row in (*rows, "all")]
    sums += [{f"all.{it}": -1} | {f"{row}.{it}": 1 for row in rows} for it in (*columns, "all")]
    return cells, sums


@given(tables())
def test_no_suppressed_cell_can_be_solved_for(table: tuple[dict[str, Cell], list[Sum]]):
    cells, sums = table
    withheld = set(suppress(cells, sums))
    sensitive = {name for name, cell in cells.items() if primary(cell)}
    assert {name for name in sensitive if not cells[name].hidden} <= withheld
    assert not solved(cells, sums, withheld) & (withheld | sensitive)


@given(tables())
def test_from_any_one_sum_there_is_doubt(table: tuple[dict[str, Cell], list[Sum]]):
    """What a primary can be, if all that is known is one total and that counts of none are told."""
    cells, sums = table
    withheld = set(suppress(cells, sums))
    for row in sums:
        unknown = [it for it in row if it in withheld or cells[it].hidden]
        if any(row[it] < 0 for it in unknown):
            continue
        for name in set(filter(lambda it: primary(cells[it]), unknown)):
            least = {it: 0 if cells[it].largest is not None or cells[it].hidden else 1 for it in unknown}
            together = sum(Fraction(cells[it].value) for it in unknown)
            most = together - sum(least[it] for it in unknown if it != name)
            need = NEAR * Fraction(cells[name].value) if cells[name].largest is not None else 1
            assert most - Fraction(cells[name].value) >= need, (row, name)


@given(tables())
def test_what_is_withheld_has_a_reason_and_enough_of_the_table_is_told(
    table: tuple[dict[str, Cell], list[Sum]],
):
    cells, sums = table
    withheld = suppress(cells, sums)
    assert all(it.startswith("suppressed: ") for it in withheld.values())
    assert suppress(cells, sums) == withheld
    if not any(primary(cell) for cell in cells.values()):
        assert not withheld


def test_a_small_cell_takes_the_next_smallest_with_it():
    sums: list[Sum] = [{"all": -1, "base": 1, "technology": 1, "application": 1}]
    found = suppress(counts(all=40, base=1, technology=9, application=30), sums)
    assert found == {
        "base": f"suppressed: fewer than {LEAST} of them",
        "technology": "suppressed: a suppressed figure could be reckoned from it",
    }


def test_two_single_ones_are_not_told_by_their_sum():
    """1 + 1 = 2 is linear algebra with many answers, and only one among counts that are not 0."""
    found = suppress(
        counts(all=40, base=1, technology=1, application=38),
        [{"all": -1, "base": 1, "technology": 1, "application": 1}],
    )
    assert len(found) == 3


def test_none_is_told():
    assert suppress(counts(all=38, base=0, rest=38), [{"all": -1, "base": 1, "rest": 1}]) == {}


def test_the_rest_of_a_city_is_not_reckoned_by_difference():
    cells = counts(city=40, here=39) | {"rest": Cell(Decimal(1), 1, hidden=True)}
    assert set(suppress(cells, [{"city": -1, "here": 1, "rest": 1}])) == {"here"}


def test_a_single_entry_is_not_told_by_what_was_there_before():
    cells = counts(now=40, entries=1, exits=5) | {"before": Cell(Decimal(44), 44, elsewhere=True)}
    assert set(suppress(cells, [{"now": -1, "before": 1, "entries": 1, "exits": -1}])) == {"entries", "exits"}


def test_what_tells_of_no_company_is_told_and_protects_nothing():
    cells = counts(all=40, base=2, technology=37) | {"unlabelled": Cell(Decimal(1), 1, harmless=True)}
    assert set(suppress(cells, [{"all": -1, "base": 1, "technology": 1, "unlabelled": 1}])) == {
        "base",
        "technology",
    }


def test_an_amount_that_two_companies_nearly_make_up_is_withheld():
    assert "2 companies have more than 85 %" in primary(amount(60, 30, 5, 5))
    assert primary(amount(50, 35, 10, 5)) == ""
    assert primary(amount(0, 0, 0)) == ""


def test_a_complement_is_large_enough_to_hide_an_amount():
    """A withheld 1,000 beside a withheld 6 would be known to within 1 %."""
    cells = {
        "all": amount(990, 4, 3, 3, 2, 2, 2, 900, 900, 900, 1),
        "big": amount(990, 4, 3, 3),
        "small": amount(2, 2, 2),
        "other": amount(900, 900, 900, 1),
    }
    assert set(suppress(cells, [{"all": -1, "big": 1, "small": 1, "other": 1}])) == {"big", "small", "other"}
