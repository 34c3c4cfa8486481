"""Conditions in three values, and a table that is made definite for a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product

import pytest

from baygrid.core.law.conditions import AtLeast, Condition, Day, Every, Facts, Is, Listed, Not, Some
from baygrid.core.law.decisions import NEEDS_FACT
from baygrid.core.law.parameters import Dated, Lapsed, Span
from baygrid.core.law.plan import NotLoaded, Plan
from baygrid.core.law.tables import Rule, Said, Table

DAY = Day({"ten": 10}, {"zones": frozenset({"a"})})
NEW_YEAR = date(2026, 1, 1)


def held(condition: Condition, facts: Facts) -> bool | None:
    return condition.on(DAY).test(facts)


@pytest.mark.parametrize(("one", "other"), list(product([True, False, None], repeat=2)))
def test_joined_conditions_are_kleenes(one: bool | None, other: bool | None):
    facts = {name: value for name, value in (("p", one), ("q", other)) if value is not None}
    order = {False: 0, None: 1, True: 2}
    least, most = sorted((one, other), key=order.__getitem__)
    assert held(Every(Is("p"), Is("q")), facts) is least
    assert held(Some(Is("p"), Is("q")), facts) is most
    assert held(Not(Is("p")), facts) is (None if one is None else not one)


def test_none_of_none_is_so_and_all_of_none_is():
    assert (held(Some(), {}), held(Every(), {})) == (False, True)


def test_what_is_known_of_counts_may_be_enough():
    reached = AtLeast(("a", "b"), "ten")
    assert [held(reached, facts) for facts in ({"a": 10}, {"a": 9}, {"a": 9, "b": 0}, {"a": 9, "b": 1})] == [
        True, None, False, True,
    ]  # fmt: skip
    assert list(reached.on(DAY).asks({"a": 9})) == ["b"]


def test_of_a_list_that_is_not_loaded_nothing_is_asked():
    assert held(Listed("zone", "zones"), {}) is None
    assert held(Listed("zone", "zones"), {"zone": "b"}) is False
    assert held(Listed("zone", "others"), {}) is False


def test_only_what_may_matter_is_asked():
    condition = Every(Some(Is("p"), Is("q")), Is("r"))
    assert list(condition.on(DAY).asks({"p": True})) == ["r"]
    assert list(condition.on(DAY).asks({"p": False})) == ["q", "r"]


def test_a_number_without_a_value_is_told():
    with pytest.raises(Lapsed, match="eleven"):
        AtLeast(("a",), "eleven").on(DAY)


def table(*rules: Rule) -> Table:
    numbers = {"ten": (Dated(Decimal(10), Span(NEW_YEAR), "article 1"),)}
    return Table("t", "T", Span(NEW_YEAR), rules, (), {}, numbers, {}, frozenset({"GO"}), "choice")


def rule(id: str, when: Condition, outcome: str, first: date | None = None) -> Rule:
    return Rule(id, f"{id} {{ten}}", when, outcome, (Said(f"article {id}"),), span=Span(first))


def test_a_table_in_which_nothing_holds_never_lets_pass():
    decision = Plan(table(rule("1", Is("p"), "GO")), NEW_YEAR, {}).decide({"p": False})
    assert (decision.outcome, decision.missing) == (NEEDS_FACT, ())


def test_an_unknown_that_makes_no_difference_is_not_asked_unless_it_passes():
    stop = table(rule("1", Is("p"), "STOP"), rule("2", Is("q"), "STOP"))
    assert Plan(stop, NEW_YEAR, {}).decide({"q": True}).outcome == "STOP"
    go = table(rule("1", Is("p"), "GO"), rule("2", Is("q"), "GO"))
    assert Plan(go, NEW_YEAR, {}).decide({"q": True}).missing == ("p",)


def test_an_unknown_after_the_last_that_differs_is_not_asked():
    rules = (rule("1", Is("p"), "GO"), rule("2", Is("q"), "STOP"), rule("3", Every(), "STOP"))
    assert Plan(table(*rules), NEW_YEAR, {}).decide({}).missing == ("p",)


def test_a_rule_is_asked_from_its_day_on():
    later = table(rule("1", Every(), "STOP", date(2026, 1, 2)), rule("2", Every(), "GO"))
    days = [NEW_YEAR, date(2026, 1, 2)]
    assert [Plan(later, day, {}).decide({}).outcome for day in days] == ["GO", "STOP"]


def test_sentences_have_the_numbers_of_the_day():
    decision = Plan(table(rule("1", Every(), "GO")), NEW_YEAR, {}).decide({})
    assert decision.trace[0].asked.says == "1 10"


def test_a_day_before_the_table_is_refused():
    with pytest.raises(NotLoaded, match="2026-01-01"):
        Plan(table(), date(2025, 12, 31), {})
