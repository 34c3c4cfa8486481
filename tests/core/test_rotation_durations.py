"""What is learnt of durations: only from service given, with the prior where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.rotation.durations import LEVELS, TAIL, WEIGHT, gittins, history, learn

SIZES = np.array([1, 8])
EDGES = np.array([0.0, 10.0, 20.0, 40.0, np.inf])


@given(st.floats(1e-6, 1.0), st.integers(0, 3))
def test_a_constant_rate_is_its_own_index_at_every_level(rate, level):
    assert gittins(np.full(4, rate), EDGES, level) == pytest.approx(rate)


@given(st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4), st.integers(0, 3))
def test_the_index_is_the_best_of_all_places_to_stop(rates, level):
    """By sampling the law itself: chance to end over time spent, for each level to stop after."""
    best, alive, spent = 0.0, 1.0, 0.0
    for stop in range(level, 4):
        times = np.linspace(EDGES[stop], min(EDGES[stop + 1], EDGES[stop] + 60 / rates[stop]), 20_001)
        living = alive * np.exp(-rates[stop] * (times - EDGES[stop]))
        spent += float(np.trapezoid(living, times))
        alive = float(living[-1]) if stop < 3 else 0.0
        best = max(best, (1 - alive) / spent)
    assert gittins(np.array(rates), EDGES, level) == pytest.approx(best, rel=1e-3)


def test_where_the_rate_falls_it_is_least_service_first_and_where_it_rises_the_begun_is_finished():
    falls = [gittins(np.array([0.4, 0.2, 0.1, 0.05]), EDGES, level) for level in range(4)]
    assert falls == pytest.approx([0.4, 0.2, 0.1, 0.05])
    rises = [gittins(np.array([0.05, 0.1, 0.2, 0.4]), EDGES, level) for level in range(4)]
    assert rises == sorted(rises)
    assert rises[0] > 0.05


def test_with_nothing_seen_less_service_and_fewer_gpus_go_first():
    worth = history(SIZES).worth
    assert worth.shape == (2, LEVELS)
    assert (np.diff(worth[:, 1:-1]) < 0).all()
    np.testing.assert_allclose(worth[0], 8 * worth[1])


def test_jobs_still_running_count_with_the_time_they_have_had():
    """Ten ends in 1,000 s of a level; 9,000 s more there by jobs that have not ended: a tenth of the rate."""
    seen = history(SIZES)
    scale = 1e6  # so that the prior does not show
    seen.ends[:, -1] = 10 * scale
    seen.seconds[:, -1] = 1_000 * scale
    learn(seen)
    assert seen.worth[0, -1] == pytest.approx(0.01, rel=1e-3)
    seen.seconds[:, -1] = 10_000 * scale
    learn(seen)
    assert seen.worth[0, -1] == pytest.approx(0.001, rel=1e-3)


def test_a_few_ends_move_the_estimate_less_than_many():
    """As many ends in no time: with WEIGHT of them the rate of the last level is twice the prior's."""
    prior = history(SIZES[:1])
    seen = history(SIZES[:1])
    before = prior.worth[0, -1]
    seen.ends[0, -1] = WEIGHT / 30
    learn(seen)
    few = seen.worth[0, -1]
    seen.ends[0, -1] = WEIGHT
    learn(seen)
    assert before < few < 1.1 * before < seen.worth[0, -1]
    assert before == pytest.approx(TAIL / (prior.edges[-2] * np.sqrt(prior.edges[2] / prior.edges[1])))


def test_a_usual_duration_makes_jobs_close_to_it_go_before_new_ones():
    """A thousand jobs all ended between one edge and the next: at the level before, a job is worth more."""
    seen = history(SIZES[:1])
    usual = 12
    for level in range(usual):
        seen.seconds[0, level] = 1_000 * (seen.edges[level + 1] - seen.edges[level])
    seen.seconds[0, usual] = 500 * (seen.edges[usual + 1] - seen.edges[usual])
    seen.ends[0, usual] = 1_000
    learn(seen)
    assert seen.worth[0, usual - 1] > 1.5 * seen.worth[0, 0]
    assert seen.worth[0, usual] > seen.worth[0, usual - 1]
