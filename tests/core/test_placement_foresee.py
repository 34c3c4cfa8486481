"""Expected starts of waiting jobs: whose are guessed, what the guess is, and what is told from it."""

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from baygrid.core.placement.demand import Expected
from baygrid.core.placement.explaining.estimate import AT_ONCE, GUESSED, LEARNT, Start
from baygrid.core.placement.image import Image
from baygrid.core.placement.plan import Planner, explain
from baygrid.core.placement.policy import UNDECLARED, Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Shares
from baygrid.core.placement.timeline.predict import ENOUGH
from baygrid.core.placement.timeline.start_range import StartRanges
from baygrid.core.reasons import Explanation
from tests.core.region import SEEDS, job, random_image, whose
from tests.core.test_placement_guarantees import random_job, random_policy
from tests.core.test_placement_queue import one, runs, with_running

HOUR = 3_600_000


def filled(rng: Random, policy: Policy, image: Image) -> Backlog:
    """The jobs that wait when everything that fits has its place, with lengths that are known for some."""
    backlog = Backlog(random_job(rng, number) for number in range(40))
    known = Expected(20, 60, 120)
    for demand in list(backlog):
        if rng.random() < 0.5:
            backlog.add(replace(demand, expected=known))
    planner = Planner()
    while made := planner.plan(image, backlog, policy, Shares(policy), 0).assignments:
        for it in made:
            demand = backlog.get(it.job)
            placed = it.placement(f"a-{it.job}", demand, 0)
            image.occupy(replace(placed, started_at=0, expected=demand.expected))
            backlog.remove(it.job)
    return backlog


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_what_is_foreseen_is_what_an_explanation_guesses(rng: Random):
    image = random_image(rng)
    # Where one would make others stop, a plan knows that its quota comes back; an explanation does not.
    policy = replace(random_policy(rng, image, cohorts=False), preemption=False)
    backlog = filled(rng, policy, image)
    shares, now = Shares(policy), 0
    found = Planner().foresee(image, backlog, policy, shares, StartRanges(), now)
    for id, start in found.items():
        data = explain(image, backlog.get(id), policy, shares, backlog, now).outcome.data
        assert start in {data["start_p10_ms"], data["start_ms"], data["start_p90_ms"]}


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_many_are_explained_at_once_as_each_is_alone(rng: Random):
    image = random_image(rng)
    policy = random_policy(rng, image, cohorts=True)
    waiting = Backlog(random_job(rng, number) for number in range(40))
    backlog = filled(rng, policy, image) if rng.random() < 0.7 else waiting
    shares, ids = Shares(policy), [it.job for it in backlog]
    asked = rng.sample(ids, rng.randint(0, len(ids)))
    found = Planner().explain_all(image, asked, policy, shares, backlog, StartRanges(), 0)
    assert found == {id: explain(image, backlog.get(id), policy, shares, backlog, 0) for id in asked}


def queue(count: int) -> Backlog:
    return Backlog(whose(job(f"{n:05}", cpus=8, hours=1), user="u", submitted_at=n) for n in range(count))


def test_those_that_are_foreseen_are_few_and_of_all_depths():
    image, shares = with_running(one(1), runs("a", ends_h=1)), Shares(UNDECLARED)
    told = StartRanges()
    found = Planner().foresee(image, queue(5_000), UNDECLARED, shares, told, 0)
    assert len(found) == AT_ONCE
    numbers = sorted(map(int, found))
    assert (numbers[0], numbers[-1]) == (0, 4_999)
    assert all(later <= 3 * sooner + 3 for sooner, later in pairwise(numbers))
    assert sorted(found.values()) == [found[f"{n:05}"] for n in numbers], "who comes later starts later"


def test_who_was_told_is_not_chosen_again():
    image, shares, waiting = with_running(one(1), runs("a", ends_h=1)), Shares(UNDECLARED), queue(30)
    told = StartRanges()
    for _ in range(2):
        for id, start in Planner().foresee(image, waiting, UNDECLARED, shares, told, 0).items():
            assert id not in told
            told.tell(0.0, id, start / 1000)
    assert all(demand.job in told for demand in waiting)


def learnt(factor: float, starts: int) -> StartRanges:
    """Waits were `factor` of what was guessed."""
    ranges = StartRanges()
    for n in range(starts):
        ranges.tell(1e6 * n, n, 3600.0)
        ranges.started(1e6 * n + 3600 * factor, n)
    return ranges


def explained(ranges: StartRanges) -> Explanation:
    known = Expected(7200, 7200, 7200)
    image = with_running(one(1), runs("a", started_h=0, ends_h=10, expected=known))
    demand = job("b", cpus=8)
    return Planner().explain(image, demand, UNDECLARED, Shares(UNDECLARED), Backlog(), ranges, 0)


def test_an_explanation_tells_what_such_guesses_came_to():
    few, enough = explained(learnt(0.5, ENOUGH - 1)), explained(learnt(0.5, ENOUGH))
    assert few.outcome.data["start_ms"] == 2 * HOUR
    assert few.outcome.data["start_learnt_from"] == 0
    assert few.outcome.text.endswith(f"({GUESSED})")
    assert enough.outcome.data["start_ms"] == pytest.approx(HOUR, rel=0.02)
    assert enough.outcome.data["start_learnt_from"] == ENOUGH
    assert enough.outcome.text.endswith(f"({LEARNT})")
    rows: Any = enough.outcome.data["costs"]
    assert [row["start_ms"] for row in rows] == [enough.outcome.data["start_ms"]]


def test_other_guesses_for_the_same_job_are_worth_as_much():
    start = Start(0, HOUR, 3 * HOUR, 2 * HOUR, ENOUGH)
    told = [start.like(guess, 0) for guess in (0, HOUR, 2 * HOUR, 4 * HOUR)]
    assert told == sorted(told)
    assert told[2] == HOUR
    assert told[0] >= 0
