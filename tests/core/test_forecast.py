"""The forecast to the end of the month."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.forecast import SPAN_MS, Commitment, Live, forecast
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money

NOVEMBER = Month(2026, 11)
DAY = 86_400_000
MINOR = st.integers(0, 2**50)
LIVE = st.lists(st.builds(Live, st.integers(0, 2**40), st.integers(0, 2**40)), max_size=5)
MOMENTS = st.integers(NOVEMBER.start, NOVEMBER.end - 1)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def test_the_figures_of_a_month():
    at = NOVEMBER.start + 20 * DAY
    live = [Live(3_00, 10_00), Live(12_00, 10_00)]
    found = forecast(at, cny(100_00), live, cny(70_00))
    assert (found.month, found.now, found.attempts) == (NOVEMBER, at, 2)
    # The second is above its hold: that is the platform's.
    assert (found.running, found.still) == (cny(13_00), cny(7_00))
    assert found.at_most == cny(120_00)
    # 10 days are left, at 10.00 a day.
    assert found.expected == cny(200_00)
    assert forecast(NOVEMBER.end - 1, cny(100_00), live, cny(70_00)).expected == cny(113_00)
    assert forecast(at, cny(0), [], cny(0)).expected == cny(0)


def test_what_is_committed_is_paid_when_its_period_ends():
    at = NOVEMBER.start + 20 * DAY
    bought = [Commitment(30_00, NOVEMBER.end), Commitment(5_00, at), Commitment(8_00, NOVEMBER.end + 1)]
    found = forecast(at, cny(100_00), [Live(3_00, 10_00)], cny(7_00), bought)
    assert (found.committed, found.committed_later) == (cny(35_00), cny(8_00))
    assert (found.at_most, found.expected) == (cny(145_00), cny(135_00))


def test_a_mean_is_rounded_once():
    at = NOVEMBER.end - DAY
    assert forecast(at, cny(0), [], cny(3)).expected == cny(0)  # 3/7 of a fen
    assert forecast(at, cny(0), [], cny(4)).expected == cny(1)


@given(MOMENTS, MINOR, LIVE, MINOR)
def test_it_never_says_less_than_what_is_certain(at: int, charged: int, live: list[Live], last: int):
    found = forecast(at, cny(charged), live, cny(last))
    assert found.at_most.minor == charged + sum(it.hold for it in live)
    assert found.at_most == found.charged + found.running + found.still
    assert found.expected >= found.charged + found.running
    assert found.charged + found.running <= found.at_most
    assert all(part.minor >= 0 for part in (found.running, found.still))


@given(MOMENTS, MINOR, MINOR, LIVE)
def test_as_time_passes_the_end_comes_nearer_and_the_order_of_attempts_does_not_matter(
    at: int, charged: int, last: int, live: list[Live]
):
    found = forecast(at, cny(charged), live, cny(last))
    assert forecast(at, cny(charged), live[::-1], cny(last)) == found
    assert forecast(NOVEMBER.end - 1, cny(charged), live, cny(last)).expected <= found.expected
    most = charged + max(last * (NOVEMBER.end - at) // SPAN_MS + 1, found.running.minor)
    assert found.expected.minor <= most


def test_nothing_is_negative():
    with pytest.raises(ValueError, match="neither a cost nor a hold is negative"):
        forecast(NOVEMBER.start, cny(0), [Live(-1, 5)], cny(0))
