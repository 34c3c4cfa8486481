"""Monthly budgets: which alerts are reached, what people are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.budgets import MOST_PERCENT, Budget, Spent, notice, short_of
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money

NOVEMBER = Month(2026, 11)
ALERTS = st.sets(st.integers(1, MOST_PERCENT), max_size=5).map(lambda found: tuple(sorted(found)))


def budget(minor: int = 2000_00, *, hard: bool = True, alerts: tuple[int, ...] = (50, 80, 100)) -> Budget:
    return Budget(Money(minor, "CNY"), hard, alerts)


@given(st.integers(1, 2**60), ALERTS, st.integers(0, 2**62))
def test_an_alert_is_reached_exactly_when_so_much_is_charged(
    amount: int, alerts: tuple[int, ...], minor: int
):
    it = budget(amount, alerts=alerts)
    passed = [percent for percent in alerts if it.percent(minor) >= percent]
    assert it.reached(minor) == (passed[-1] if passed else None)


def test_the_boundaries_of_an_alert():
    assert budget().reached(999_99) is None
    assert budget().reached(1000_00) == 50
    assert budget().reached(1999_99) == 80
    assert budget().reached(2000_00) == 100
    assert (budget().percent(1999_99), budget().percent(2000_00)) == (99, 100)


@pytest.mark.parametrize(
    ("minor", "alerts", "said"),
    [
        (0, (), "more than nothing, not 0.00 CNY: to have none, remove it"),
        (-5, (), "more than nothing"),
        (5, (0,), "from 1 to 1000, such as 50,80,100"),
        (5, (1001,), "from 1 to 1000"),
        (5, (80, 50), "alerts grow"),
        (5, (80, 80), "each is there once"),
    ],
)
def test_what_is_no_budget(minor: int, alerts: tuple[int, ...], said: str):
    with pytest.raises(ValueError, match=said):
        budget(minor, alerts=alerts)


def test_what_people_are_told():
    assert notice("demo", budget(), Spent(NOVEMBER, 400_00, 599_99)) == ""
    assert notice("demo", budget(), Spent(NOVEMBER, 400_00, 600_00)) == (
        "budget of demo for 2026-11: 1000.00 CNY of 2000.00 CNY is charged or held (50%)"
    )
    assert short_of("demo", budget(), Spent(NOVEMBER, 1900_00, 60_00), 40_01) == (
        "the budget of project 'demo' for 2026-11 is 2000.00 CNY, of which 40.00 CNY is left, and this needs"
        " 40.01 CNY: wait for 2026-12 or until jobs end, or raise it with `baygrid budgets set demo`"
    )
    assert "of which 0.00 CNY is left" in short_of("demo", budget(), Spent(NOVEMBER, 2500_00, 0), 1)
