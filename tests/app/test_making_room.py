"""Urgent jobs, gangs, queues and reservations on the real store: who makes room for whom, and who waits."""

from __future__ import annotations

import pytest

from baygrid.app import explain, jobs, policies
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import Order
from tests.app.stage import HOUR, OPERATOR, Site, Stage

WHOLE = {"resources": {"cpus": 8}}
URGENT = {**WHOLE, "queue": "fast", "priority": "urgent"}


@pytest.fixture
def site(stage: Stage) -> Site:
    """Two nodes of 8 cpus."""
    return stage.add_site("qianhai", nodes=2)


def declare(stage: Stage, **policy: object) -> None:
    policies.set_policy(stage.platform, OPERATOR, policy, None)


def state(stage: Stage, job: str) -> JobState:
    return jobs.job(stage.platform, OPERATOR, job).job.state


def started(stage: Stage, site: Site) -> list[Order]:
    stage.schedule()
    orders = [order for order in site.desired().orders if order.state is AttemptState.PLACED]
    site.report(*(site.says(order, AttemptState.RUNNING) for order in orders))
    return orders


def later(stage: Stage, site: Site, ms: int) -> None:
    stage.pass_time(ms)
    site.report()


def ended(stage: Stage, site: Site, order: Order, how: AttemptState) -> None:
    stage.pass_time(60_000)
    site.report(site.says(order, how))
    stage.schedule()


def test_the_one_with_less_to_lose_makes_room_for_a_more_urgent_job(stage: Stage, site: Site):
    declare(stage, queues={"fast": {"up_to": "urgent"}})
    stage.submit(WHOLE)
    (older,) = started(stage, site)
    later(stage, site, 1_800_000)
    stage.submit(WHOLE)
    (younger,) = started(stage, site)
    later(stage, site, 60_000)
    (urgent,) = stage.submit(URGENT)
    stage.schedule()
    assert [stop.attempt for stop in site.desired().stops] == [younger.attempt]
    stage.schedule()
    assert [stop.attempt for stop in site.desired().stops] == [younger.attempt]
    told = [explain.of_job(stage.platform, OPERATOR, job).text for job in (urgent, younger.job)]
    assert "an attempt is being stopped for it" in told[0]
    assert "being stopped for a more urgent job" in told[1]
    ended(stage, site, younger, AttemptState.PREEMPTED)
    assert "being stopped" not in explain.of_job(stage.platform, OPERATOR, younger.job).text
    assert state(stage, urgent) is JobState.ACTIVE
    assert state(stage, younger.job) is JobState.QUEUED
    assert state(stage, older.job) is JobState.ACTIVE


def test_one_that_can_go_on_makes_room_before_one_that_would_begin_anew(stage: Stage, site: Site):
    declare(stage, queues={"fast": {"up_to": "urgent"}})
    stage.submit({**WHOLE, "checkpoint": {"path": "ckpt"}})
    (goes_on,) = started(stage, site)
    later(stage, site, 1_800_000)
    stage.submit(WHOLE)
    started(stage, site)
    later(stage, site, 60_000)
    stage.submit(URGENT)
    stage.schedule()
    assert [stop.attempt for stop in site.desired().stops] == [goes_on.attempt]


def test_a_gang_waits_rather_than_starts_half(stage: Stage, site: Site):
    stage.submit(WHOLE)
    (first,) = started(stage, site)
    (gang,) = stage.submit({**WHOLE, "nodes": 2})
    (small,) = stage.submit({"resources": {"cpus": 8}, "time": "2h"})
    stage.schedule()
    assert state(stage, gang) is JobState.QUEUED
    assert state(stage, small) is JobState.QUEUED, "the node that is free is kept for the gang"
    (short,) = stage.submit({"resources": {"cpus": 8}, "time": "10m"})
    (backfilled,) = started(stage, site)
    assert backfilled.job == short, "it ends before the gang could begin"
    ended(stage, site, backfilled, AttemptState.SUCCEEDED)
    ended(stage, site, first, AttemptState.SUCCEEDED)
    (order,) = started(stage, site)
    assert order.job == gang
    assert len(order.nodes) == 2


def test_a_quota_holds_back_and_says_so(stage: Stage, site: Site):
    declare(stage, queues={"small": {"quotas": {"cpu": {"nominal": 8}}}})
    first, second = stage.submit({**WHOLE, "queue": "small"}, {**WHOLE, "queue": "small"})
    stage.schedule()
    assert state(stage, first) is JobState.ACTIVE
    assert state(stage, second) is JobState.QUEUED
    told = explain.of_job(stage.platform, OPERATOR, second)
    assert "small" in told.text
    assert "quota" in {reason["code"] for row in told.rows for reason in row.reasons}


def test_a_reservation_keeps_others_out_until_it_is_over(stage: Stage, site: Site):
    window = {"name": "maintenance", "centre": "qianhai", "partition": "main"}
    declare(
        stage,
        reservations=[
            {
                **window,
                "nodes": ["qianhai-0", "qianhai-1"],
                "from": "2027-01-15T08:30:00+00:00",
                "until": "2027-01-15T10:00:00+00:00",
            }
        ],
    )
    (job,) = stage.submit(WHOLE)
    (short,) = stage.submit({**WHOLE, "time": "10m"})
    assert [order.job for order in started(stage, site)] == [short], "it ends before the window"
    told = explain.of_job(stage.platform, OPERATOR, job)
    assert "maintenance" in str(told.rows)
    later(stage, site, 2 * HOUR)
    assert [order.job for order in started(stage, site)] == [job]


def test_nobody_is_told_to_start_before_quota_or_a_reservation_lets_him(stage: Stage, site: Site):
    window = {"name": "maintenance", "centre": "qianhai", "partition": "main"}
    nodes = ["qianhai-0", "qianhai-1"]
    times = {"from": "2027-01-15T08:30:00+00:00", "until": "2027-01-15T10:00:00+00:00"}
    declare(
        stage,
        queues={"small": {"quotas": {"cpu": {"nominal": 8}}}},
        reservations=[{**window, "nodes": nodes, **times}],
    )
    stage.submit({**WHOLE, "queue": "small", "time": "20m"})
    (quota,) = stage.submit({**WHOLE, "queue": "small", "time": "5m"})
    (reserved,) = stage.submit({**WHOLE, "time": "45m"})
    started(stage, site)
    for job, least in ((quota, stage.now + 60_000), (reserved, stage.now + 2 * HOUR)):
        facts = explain.of_job(stage.platform, OPERATOR, job).facts
        assert facts["start_p10_ms"] >= least


def test_who_asks_before_is_told_what_will_be_held_and_when_that_is_too_much(stage: Stage, site: Site):
    poor = stage.add_project("poor", funds="0.10 CNY")
    document = {"name": "job", "run": "true", "time": "1h", **WHOLE}
    assert "will be held for it" in explain.of_document(stage.platform, stage.team, document).text
    assert explain.of_document(stage.platform, poor, document).text.endswith(
        "0.10 CNY free: it would be refused"
    )
