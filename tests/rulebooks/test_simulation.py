"""Many at once come out as one after the other, to the cent."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.law.clauses import Applicant, Status, find
from baygrid.core.law.facts import Kind
from baygrid.core.reading import DocumentError
from baygrid.rulebooks.measures.book import NAMES, rulebook
from baygrid.rulebooks.measures.simulation import read_table, simulate

MONEY = st.one_of(
    st.decimals(0, 10**9, places=2),
    st.sampled_from([Decimal(20_000_000), Decimal("20000000.01"), Decimal(100_000_000), Decimal("0.03")]),
)
KINDS: dict[Kind, Any] = {
    Kind.YES_NO: st.booleans(),
    Kind.COUNT: st.integers(0, 50).map(Decimal),
    Kind.MONEY: MONEY,
    Kind.NUMBER: st.decimals(0, 10_000, places=1),
    Kind.DATE: st.dates(date(2022, 12, 25), date(2026, 1, 5)),
    Kind.TEXT: st.sampled_from(["a", "b"]),
}
LOADED = [name for name in NAMES if rulebook(name).facts]


@pytest.mark.parametrize("name", LOADED)
@settings(max_examples=30)
@given(data=st.data())
def test_all_at_once_is_what_one_after_the_other_is(name: str, data: st.DataObject):
    book = rulebook(name)
    one = st.fixed_dictionaries(
        {
            fact.name: st.none() | (st.sampled_from(fact.choices) if fact.choices else KINDS[fact.kind])
            for fact in book.facts.values()
        }
    )
    companies = data.draw(st.lists(one, max_size=6))
    day = data.draw(st.sampled_from([date(2024, 2, 1), date(2025, 5, 1), date(2026, 12, 18)]))
    columns = {fact: np.array([company[fact] for company in companies], dtype=object) for fact in book.facts}
    for cost, clause in zip(simulate(book, columns, len(companies), day), book.clauses, strict=True):
        alone = [
            find(clause, Applicant({k: v for k, v in it.items() if v is not None}), book.parameters, day)
            for it in companies
        ]
        assert cost.ceilings == sum((it.ceiling for it in alone if it.ceiling is not None), Decimal(0))
        assert dict(cost.counts) == {
            status: n for status in Status if (n := sum(it.status is status for it in alone))
        }


def test_no_clause_costs_more_than_its_pool():
    book = rulebook("shenzhen-2024")
    lines = ["applicant_kind,compute_for_training,start_up,compute_contract"]
    lines += ["company,true,false,20000000"] * 60
    (cost, *_) = simulate(book, *read_table(lines, book.facts), date(2025, 3, 29))
    assert (cost.ceilings, cost.at_most) == (Decimal("600000000.00"), Decimal(500_000_000))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["companies", "x"], "companies: is no fact"),
        (["revenue,revenue", "1,2"], "the same name"),
        (["revenue,ai_revenue", "1"], "line 2: has 1 cells, not 2"),
        (["revenue,ai_revenue", "1,2", "1,x"], "line 3, ai_revenue: must be a number"),
        (["books_audited", "yes"], "must be true or false"),
        (["cases_verified", "-1"], "whole number"),
        (["cases_verified", "9" * 5000], "whole number"),
        (["revenue", "1" * 200_000], "is no CSV"),
        ([], "is empty"),
    ],
)
def test_a_table_with_mistakes_is_not_taken(lines: list[str], says: str):
    with pytest.raises(DocumentError, match=says):
        read_table(lines, rulebook("example").facts)
