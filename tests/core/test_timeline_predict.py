"""What is expected of a job before it runs, and of its start while it waits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.timeline.predict import ENOUGH, Forecast, History, Like
from baygrid.core.placement.timeline.start_range import StartRanges

ME = Like("me", "train", 8, 3600)


def taught(likes: list[tuple[Like, float]]) -> History:
    history = History()
    for like, runtime in likes:
        history.learn(like, runtime)
    return history


def test_nothing_known_is_said_so() -> None:
    assert History().forecast(ME) == Forecast(0.0, 3600.0, 3600.0, 0)
    assert History(first_guess_s=60).forecast(ME._replace(requested=None)) == Forecast(0.0, 60.0, 60.0, 0)


def test_the_narrow_says_the_median_the_wide_helps_with_the_range() -> None:
    others = [(ME._replace(name=f"other{n}", user="you"), 3600.0 * n / 20) for n in range(1, 20)]
    found = taught([*others, *[(ME, 100.0)] * 3]).forecast(ME)
    assert found.p50 == pytest.approx(100)
    assert found.p10 <= 100 < found.p90
    assert found.seen > ENOUGH


def test_users_do_not_know_of_each_other_where_they_have_their_own() -> None:
    mine = [(ME, 100.0)] * 20
    assert taught([*mine, (ME._replace(user="you"), 3000.0)]).forecast(ME) == taught(mine).forecast(ME)


def test_another_request_scales() -> None:
    found = taught([(ME, 1800.0)] * 20).forecast(ME._replace(requested=7200))
    assert found.p50 == pytest.approx(3600)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([60, 600]), st.floats(0, 1e5)), max_size=40),
    st.sampled_from([60, 600, None]),
)
def test_it_is_ordered_within_the_limit_and_repeatable(
    ended: list[tuple[str, int, float]], requested: int | None
) -> None:
    jobs = [(Like(user, "x", 1, limit), runtime) for user, limit, runtime in ended]
    found = taught(jobs).forecast(Like("a", "x", 1, requested))
    assert 0 <= found.p10 <= found.p50 <= found.p90
    assert requested is None or found.p90 <= requested
    assert found == taught(jobs).forecast(Like("a", "x", 1, requested))


def test_four_of_five_runtimes_lie_in_the_range_even_as_jobs_change() -> None:
    """Runtimes that drift by a factor of 30 and jump between two scales."""
    chance = np.random.default_rng(1)
    history, inside = History(), []
    for number in range(4000):
        like = Like(number % 7, "x", 1, None)
        runtime = float(chance.lognormal(4 + 3.4 * number / 4000 + (number // 50 % 2), 1.0))
        told = history.forecast(like)
        inside.append(told.p10 <= runtime <= told.p90)
        history.learn(like, runtime, told)
    assert 0.77 <= np.mean(inside[500:]) <= 0.83


def test_start_ranges_hold_for_four_of_five_whatever_the_guess_is_worth() -> None:
    chance = np.random.default_rng(2)
    ranges, inside = StartRanges(), []
    for number in range(5000):
        guess = float(chance.lognormal(6, 2))
        wait = guess**0.8 * float(chance.lognormal(1 if number % 1000 < 500 else 0, 1.5))
        told = ranges.tell(number * 1e6, number, guess)
        inside.append(told.p10 <= wait <= told.p90)
        ranges.started(number * 1e6 + wait, number)
    assert 0.77 <= np.mean(inside[500:]) <= 0.83
    assert all(0 <= found.p10 <= found.p50 <= found.p90 for found in map(ranges.range, (0.0, 1.0, 1e3, 1e6)))


def test_a_bound_that_passed_counts_before_the_job_starts() -> None:
    ranges = StartRanges()
    widths = []
    for number in range(20):
        ranges.tell(number * 1e6, number, 100.0)
        widths.append(ranges.range(100.0).p90)
    assert all(later > sooner for sooner, later in pairwise(widths))


def test_a_start_that_was_not_told_is_no_matter() -> None:
    ranges = StartRanges()
    before = ranges.range(100.0)
    ranges.started(5.0, 1)
    assert ranges.range(100.0) == before


def test_a_job_that_is_dropped_teaches_nothing() -> None:
    ranges = StartRanges()
    before = ranges.range(100.0)
    ranges.tell(0.0, "a", 100.0)
    assert ranges.drop("a") is not None
    ranges.started(1e9, "a")
    assert ranges.range(100.0) == before


def test_one_job_may_be_told_again_and_is_late_once_for_each_time() -> None:
    """It was preempted, and waits anew; the bound of the first wait says nothing of the second."""
    ranges = StartRanges()
    ranges.tell(0.0, "a", 100.0)
    ranges.started(50.0, "a")
    ranges.tell(60.0, "a", 1e6)
    before = ranges.range(100.0)
    ranges.started(1e5, "b")
    assert ranges.range(100.0) == before


def test_what_was_told_elsewhere_teaches_the_same() -> None:
    chance = np.random.default_rng(3)
    here, elsewhere = StartRanges(), StartRanges()
    for number in range(200):
        now, guess = number * 1e6, float(chance.lognormal(6, 1))
        here.tell(now, number, guess)
        told = here.told(number)
        assert told is not None
        start = now + guess * float(chance.lognormal(0, 1))
        here.started(start, number)
        elsewhere.learn(told, start)
    assert [here.range(guess) for guess in (1.0, 400.0)] == [elsewhere.range(guess) for guess in (1.0, 400.0)]
