"""Lines by rank with kept places: the `baygrid` and the fair-share order of one pool."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.policy import Policy
from baygrid.core.placement.timeline.backfill import Line, Waiting
from baygrid.core.placement.timeline.due import HASTE, PATIENCE, Due, due_after_s
from baygrid.core.placement.timeline.fair import Fair
from baygrid.core.placement.timeline.places import Places
from tests.core.test_timeline_backfill import SLOTS, Job, PlainEasy, played, some_jobs


class ByArrival:
    """Ranks are the order of arrival."""

    def __init__(self, kept: int) -> None:
        self.places = Places(SLOTS, first=kept)
        self.end, self.starts = self.places.end, self.places.starts

    def submit(self, now: int, job: Waiting) -> None:
        self.places.submit(now, job, rank=job.job)


def fair() -> Fair:
    return Fair(SLOTS, lambda job: (str(job % 3),))


LINES: list[Callable[[], Line]] = [
    lambda: ByArrival(0),
    lambda: ByArrival(3),
    lambda: ByArrival(100),
    lambda: Due(SLOTS),
    fair,
]


@pytest.mark.parametrize("line", LINES)
@given(jobs=some_jobs)
def test_never_over_capacity_and_no_job_lost(line: Callable[[], Line], jobs: list[Job]) -> None:
    start = played(jobs, line())
    for at in start:
        used = sum(job[2] for job, begun in zip(jobs, start, strict=True) if begun <= at < begun + job[1])
        assert used <= SLOTS
    assert all(begun >= job[0] for job, begun in zip(jobs, start, strict=True))
    assert played(jobs, line()) == start


@given(jobs=some_jobs)
def test_one_kept_place_by_arrival_is_easy(jobs: list[Job]) -> None:
    held = [(submit, runs, slots, max(1, runs + slack)) for submit, runs, slots, slack in jobs]
    assert played(held, ByArrival(1)) == played(held, PlainEasy())


@pytest.mark.parametrize(("now", "started"), [(50, [2]), (51, [2]), (60, [])])
def test_a_place_beyond_the_first_is_kept_once_a_job_is_due(now: int, started: list[int]) -> None:
    """Job 2 fits beside the head, but then the second in line, due at 60, cannot start when planned."""
    line = Places(4, first=1, due=1)
    line.submit(0, Waiting(9, 3, 100), rank=0)
    assert line.starts(0) == [9]
    line.submit(now, Waiting(0, 2, 100), rank=1)
    line.submit(now, Waiting(1, 2, 100), rank=60)
    line.submit(now, Waiting(2, 1, 200), rank=70)
    assert line.starts(now) == started


@given(jobs=some_jobs)
def test_a_kept_place_is_kept(jobs: list[Job]) -> None:
    """Where jobs take what they say, nobody starts later than planned for him when he came."""
    exact = [(submit, max(1, runs), slots, max(1, runs)) for submit, runs, slots, _ in jobs]
    line = ByArrival(len(exact))
    planned: dict[int, float] = {}

    class Noting(ByArrival):
        def submit(self, now: int, job: Waiting) -> None:
            super().submit(now, job._replace(expected=job.estimate))

    line = Noting(len(exact))

    def note(now: int, started: list[int]) -> None:
        for job in line.places.waiting().tolist():
            planned.setdefault(job, now + line.places.expected_wait_s(now, job))

    start = played(exact, line, note)
    assert all(start[job] == at for job, at in planned.items())


def test_a_short_job_passes_a_long_one_that_came_before() -> None:
    line = Due(4)
    line.submit(0, Waiting(0, 4, 1000, 1000))
    assert line.starts(0) == [0]
    line.submit(1, Waiting(1, 4, 5000, 5000))
    line.submit(2, Waiting(2, 4, 10, 10))
    line.end(900, 0)
    assert line.starts(900) == [2]


def test_whoever_has_waited_his_due_is_passed_by_nobody() -> None:
    """Short jobs keep coming; the wide long one starts when it is due and the first chance comes."""
    line = Due(4)
    line.submit(0, Waiting(0, 4, 1000, 1000))
    line.starts(0)
    line.submit(0, Waiting(1, 4, 5000, 5000))
    running, now, number = 0, 1000, 2
    while running != 1:
        line.end(now, running)
        line.submit(now, Waiting(number, 4, 100, 100))
        (running,) = line.starts(now)
        number += 1
        now += 100
    assert now <= 1000 + PATIENCE * 1000 + 200


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e7))
def test_due_is_bounded_by_length_and_by_backlog(limit: float, expected: float, backlog: float) -> None:
    due = due_after_s(limit, expected, backlog)
    assert 0 <= due <= PATIENCE * backlog
    assert due <= HASTE * max(1.0, limit) * (1 + 1e-12)


def test_fair_share_goes_by_usage_for_the_weight_and_fades() -> None:
    policy = Policy(shares={("a",): 3}, half_life_s=1000)
    line = Fair(1, lambda job: ("a",) if job % 2 else ("b",), policy)
    jobs = [Waiting(number, 1, 10) for number in range(40)]
    for job in jobs:
        line.submit(0, job)
    order = []
    now = 0
    for _ in range(20):
        (started,) = line.starts(now)
        order.append("b" if started % 2 == 0 else "a")
        now += 10
        line.end(now, started)
    assert order.count("a") == pytest.approx(15, abs=1)


def test_what_is_not_asked_for_is_given_back() -> None:
    """One asked for much and ended at once: the next turn is not held against him."""
    line = Fair(1, lambda job: ("a",) if job in (0, 2) else ("b",))
    for job in (Waiting(0, 1, 10_000), Waiting(1, 1, 10), Waiting(2, 1, 10), Waiting(3, 1, 10)):
        line.submit(0, job)
    assert line.starts(0) == [0]
    line.end(1, 0)
    assert line.starts(1) == [1]
    line.end(11, 1)
    assert line.starts(11) == [2]


def test_expected_wait_of_a_job_that_does_not_wait() -> None:
    with pytest.raises(KeyError):
        Places(4, 1).expected_wait_s(0, 7)
