"""Which persons count: the law's years, thresholds, and the day on which one is reached."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.counting import (
    Count,
    Threshold,
    forecast,
    passed,
    warned,
)
from baygrid.core.days import beginning, day_of

DAY = 86_400_000
LOW, HIGH = Threshold("pi", 100_000), Threshold("pi", 1_000_000)
SENSITIVE = Threshold("spi", 10_000)
ALL = (LOW, HIGH, SENSITIVE)


@pytest.mark.parametrize(
    ("persons", "told"), [(89_999, False), (90_000, True), (99_999, True), (100_000, False)]
)
def test_a_warning_comes_at_nine_tenths_and_not_at_the_threshold_itself(persons: int, told: bool):
    assert warned(Count(0, persons, 0), LOW) is told


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_what_is_passed_lies_between_before_and_after(before: int, more: int):
    found = passed(Count(0, before, 0), Count(1, before + more, 0), ALL)
    assert found == tuple(it for it in (LOW, HIGH) if before < it.least <= before + more)


def test_the_forecast_goes_by_the_rate_of_the_last_ninety_days():
    start = beginning(date(2026, 1, 1))
    now = start + 180 * DAY
    # 20,000 in the first half, then 100 a day: 51,000 are missing, so 510 days: not this year.
    slow = [Count(start + 10 * DAY, 20_000, 0), Count(start + 90 * DAY, 40_000, 0), Count(now, 49_000, 0)]
    assert forecast(slow, start, now, LOW) is None
    # 500 a day: 102 days.
    quick = [*slow[:2], Count(now - 1, 85_000, 0)]
    assert forecast(quick, start, now, LOW) == day_of(now + 30 * DAY)


def test_what_is_reached_has_its_day_and_what_stands_still_has_none():
    start = beginning(date(2026, 1, 1))
    history = [
        Count(start + DAY, 10, 0),
        Count(start + 5 * DAY, 100_000, 0),
        Count(start + 9 * DAY, 100_001, 0),
    ]
    assert forecast(history, start, start + 200 * DAY, LOW) == date(2026, 1, 6)
    assert forecast(history, start, start + 200 * DAY, HIGH) is None
    assert forecast([], start, start, LOW) is None


@given(st.lists(st.tuples(st.integers(0, 360), st.integers(0, 300_000)), min_size=1), st.integers(0, 364))
def test_a_forecast_is_never_before_today_unless_it_has_happened(steps: list[tuple[int, int]], today: int):
    start = beginning(date(2026, 1, 1))
    now = start + today * DAY
    persons, history = 0, []
    for day, more in sorted(it for it in steps if it[0] <= today):
        persons += more
        history.append(Count(start + day * DAY, persons, 0))
    found = forecast(history, start, now, LOW)
    if persons >= LOW.least:
        assert found is not None
        assert found <= day_of(now)
    elif found is not None:
        assert day_of(now) <= found <= date(2026, 12, 31)
