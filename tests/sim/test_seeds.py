"""The whole region, seed after seed: whatever fails, no job may be lost, run twice or paid twice."""

from collections import Counter

import pytest

from baygrid.app import follower, scheduler
from baygrid.centres import attempts, commanding, logs, reports
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import WITHDRAWN
from baygrid.sim import Outcome, region, simulate
from baygrid.sim.faults import Faults
from baygrid.sim.region import Region
from tests.sim.stories import story

RANGE = 25


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, RANGE))
def test_every_seed_holds(first):
    summary = simulate(RANGE, 12, first)
    assert not summary.failures, "\n\n".join(map(story, summary.failures))
    assert summary.jobs > RANGE * 6
    assert summary.steps > RANGE * 1_000


@pytest.mark.campaign
@pytest.mark.parametrize("first", range(1_000_000, 1_040_000, 500))
def test_many_more_seeds_hold(first):
    summary = simulate(500, 12, first)
    assert not summary.failures, "\n\n".join(map(story, summary.failures))


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2_000_000, 2_000_100))
def test_many_jobs_in_one_region_hold(seed):
    summary = simulate(1, 150, seed)
    assert not summary.failures, "\n\n".join(map(story, summary.failures))


def test_jobs_are_preempted_tried_again_stopped_for_money_and_wait_for_others_meanwhile():
    """Otherwise the seeds would say nothing about it."""
    told = Counter[str]()
    for seed in range(300, 316):
        region = Region(seed, 12)
        assert region.run().failure is None
        snapshot = region.watch.snapshot
        told.update(attempt.state.value for attempt in snapshot.attempts.values())
        told.update(str(attempt.cause) for attempt in snapshot.attempts.values())
        for job in snapshot.jobs.values():
            ran = job.attempts > 0
            told.update({"retried": job.retries, "elements": job.array is not None and ran})
            told.update({"waited": "after" in job.spec and ran, "went on": job.checkpoint is not None})
    for what in ("PREEMPTED", "retried", "elements", "waited", "went on", "money"):
        assert told[what], told


def test_jobs_wait_in_a_centres_own_queue_and_are_withdrawn_from_it_meanwhile(monkeypatch):
    monkeypatch.setattr(region, "OWN_QUEUE", 1.0)
    told = Counter[str]()
    for seed in range(16):
        made = Region(seed, 12)
        assert made.run().failure is None
        attempts = made.watch.snapshot.attempts
        there = [one for one in attempts.values() if one.centre == "sz-four"]
        told["withdrawn"] += sum(one.cause == WITHDRAWN for one in there)
        told["gangs"] += sum(one.count > 1 and one.state is AttemptState.SUCCEEDED for one in there)
    for what in ("withdrawn", "gangs"):
        assert told[what], told


def test_a_calm_region_runs_everything_it_accepts():
    outcome = Region(7, 12, Faults(servers=1)).run()
    assert outcome.failure is None
    assert outcome.jobs >= 6


def test_the_summary_adds_up():
    heard: list[Outcome] = []
    summary = simulate(2, 3, first=40, on_seed=heard.append)
    assert [outcome.seed for outcome in heard] == [40, 41]
    assert tuple(heard) == summary.outcomes
    assert summary.seeds == 2
    assert summary.jobs == sum(outcome.jobs for outcome in heard)
    assert not summary.failures


@pytest.mark.slow
def test_nothing_depends_on_how_much_is_done_at_once(monkeypatch):
    """Pages, batches and reports so small that every job needs several of them."""
    monkeypatch.setattr(follower, "EVENTS_AT_ONCE", 4)
    monkeypatch.setattr(scheduler, "COMMIT_AT_ONCE", 1)
    monkeypatch.setattr(reports, "BYTES_PER_REPORT", 500)
    monkeypatch.setattr(reports, "USAGE_PER_REPORT", 2)
    monkeypatch.setattr(commanding, "STARTS_PER_TICK", 1)
    monkeypatch.setattr(attempts, "COMPACT_AFTER", 6)
    monkeypatch.setattr(logs, "CHUNK", 7)
    monkeypatch.setattr(logs, "STEP_BYTES", 10)
    monkeypatch.setattr(logs, "STEP_ATTEMPTS", 1)
    summary = simulate(RANGE, 12, 500)
    assert not summary.failures, "\n\n".join(map(story, summary.failures))
