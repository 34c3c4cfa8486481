"""A job whose hold is used up by a dearer tariff is stopped in time, and that is said plainly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import bill, explain, jobs, offers
from baygrid.app.problems import Invalid
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.ports.messages import Order
from tests.app.stage import HOUR, OPERATOR, START, Site, Stage

CHECKPOINT = {"signal": "USR1", "grace": "2m", "path": "ckpt"}
HELD = 7320 + KILL_WAIT_S  # two hours, grace and kill wait at 36 yuan an hour: a fen a second
JOB = {"time": "2h", "checkpoint": CHECKPOINT, "retry": {"max": 3}}


@pytest.fixture
def site(stage: Stage) -> Site:
    return stage.add_site("qianhai", cpu_hour="36")


def running(stage: Stage, site: Site, **change: object) -> Order:
    stage.submit({**JOB, **change})
    stage.schedule()
    (order,) = site.desired().orders
    runs(site, order)
    stage.schedule()
    return order


def runs(site: Site, order: Order) -> None:
    site.report(replace(site.says(order, AttemptState.RUNNING), started_at=START))


def later(stage: Stage, site: Site, order: Order, at: int) -> list[str]:
    """Reasons to stop it, so many seconds after it began."""
    stage.now = START + at * 1000
    runs(site, order)
    stage.schedule()
    return [stop.reason for stop in site.desired().stops]


def dearer(stage: Stage, cpu_hour: str, after_s: int) -> None:
    begins = START + after_s * 1000
    offers.add_tariff(stage.platform, OPERATOR, "qianhai-main", begins, offers.Rates(cpu_hour=cpu_hour))
    stage.schedule()


def ended(stage: Stage, site: Site, order: Order, at: int, how: AttemptState) -> jobs.JobView:
    stage.now = START + at * 1000
    told = replace(site.says(order, how), started_at=START, usage=(site.usage(order, START, stage.now),))
    site.report(told)
    stage.schedule()
    return jobs.job(stage.platform, OPERATOR, order.job)


def test_it_is_stopped_with_its_signal_while_the_hold_still_pays_its_end(stage: Stage, site: Site):
    order = running(stage, site)
    assert jobs.job(stage.platform, OPERATOR, order.job).job.hold == HELD
    dearer(stage, "72", 3600)
    # The second hour and what follows cost twice as much: 3600 + 2 x 1875 are held.
    last = 3600 + (HELD - 3600) // 2 - 120 - KILL_WAIT_S - 5
    assert later(stage, site, order, last - 1) == []
    assert later(stage, site, order, last) == ["preempted"], "which is how its checkpoint is kept"
    (stop,) = site.desired().stops
    assert (stop.signal, stop.grace_s) == ("USR1", 120)
    told = explain.of_job(stage.platform, OPERATOR, order.job).text
    assert "being stopped, since it would cost more than the 73.50 CNY held for it" in told
    view = ended(stage, site, order, last + 155, AttemptState.PREEMPTED)
    assert (view.job.state, view.job.cause) == (JobState.FAILED, "money"), "and not tried again"
    assert view.job.detail == "stopped before it cost more than the 73.50 CNY that were held for it"
    assert (view.charged, view.overrun, view.job.hold) == (HELD, 0, 0)
    assert bill.of_job(stage.platform, OPERATOR, order.job, recompute=True).differences == ()


def test_without_a_checkpoint_it_is_stopped_as_one_that_is_cancelled(stage: Stage, site: Site):
    order = running(stage, site, checkpoint={"grace": "2m"})
    dearer(stage, "3600", 3600)
    assert later(stage, site, order, 3600) == ["money"], "an agent calls that cancelled, and keeps outputs"
    assert ended(stage, site, order, 3610, AttemptState.CANCELLED).job.cause == "money"


def test_a_hold_that_lasts_lets_it_use_all_of_its_time(stage: Stage, site: Site):
    order = running(stage, site)
    dearer(stage, "36", 3600)
    dearer(stage, "1", 5400)
    for at in (3600, 5400, 7199, 7300):
        assert later(stage, site, order, at) == []


def test_who_has_done_its_work_meanwhile_has_succeeded(stage: Stage, site: Site):
    order = running(stage, site)
    dearer(stage, "3600", 3600)
    assert later(stage, site, order, 3600)
    view = ended(stage, site, order, 3601, AttemptState.SUCCEEDED)
    assert (view.job.state, view.job.cause) == (JobState.SUCCEEDED, None)


def test_a_users_word_counts_more(stage: Stage, site: Site):
    order = running(stage, site)
    dearer(stage, "3600", 3600)
    assert later(stage, site, order, 3600)
    jobs.cancel(stage.platform, stage.team, order.job)
    view = ended(stage, site, order, 3610, AttemptState.CANCELLED)
    assert view.job.state is JobState.CANCELLED


def test_what_is_charged_above_the_hold_falls_to_the_platform_where_no_stop_came_through(
    stage: Stage, site: Site
):
    order = running(stage, site)
    dearer(stage, "72", 3600)
    view = ended(stage, site, order, 7200, AttemptState.SUCCEEDED)
    assert (view.charged, view.overrun) == (HELD, 3600 + 7200 - HELD)


def test_a_new_leader_knows_what_is_due(stage: Stage, site: Site):
    order = running(stage, site)
    dearer(stage, "3600", 3600)
    stage.scheduler.resign()
    assert later(stage, site, order, 3600 + HOUR // 1000) == ["preempted"]


def test_a_price_that_is_announced_is_held_for_before(stage: Stage, site: Site):
    """Else a job that is submitted shortly before a rise is stopped as soon as it runs, and charged."""
    begins = START + 1_800_000
    dearer(stage, "3600", 1_800)
    stage.now = begins - 60_000
    site.report()
    stage.submit({"time": "10m"})
    stage.schedule()
    (order,) = site.desired().orders
    assert jobs.job(stage.platform, OPERATOR, order.job).job.hold == 100 * (600 + 30 + KILL_WAIT_S)
    started = stage.now
    site.report(replace(site.says(order, AttemptState.RUNNING), started_at=started))
    stage.now = started + 599_000
    site.report()
    stage.schedule()
    assert site.desired().stops == ()
    stage.now = started + 600_000
    usage = (site.usage(order, started, stage.now),)
    site.report(replace(site.says(order, AttemptState.SUCCEEDED), started_at=started, usage=usage))
    view = jobs.job(stage.platform, OPERATOR, order.job)
    assert (view.job.state, view.charged, view.overrun) == (JobState.SUCCEEDED, 60 + 100 * 540, 0)


def test_a_price_of_later_is_not_held_for(stage: Stage, site: Site):
    dearer(stage, "3600", 10 * 3600)
    order = running(stage, site)
    assert jobs.job(stage.platform, OPERATOR, order.job).job.hold == HELD


def test_a_limit_is_in_the_currency_of_who_pays(stage: Stage, site: Site):
    with pytest.raises(Invalid, match=r"budget\.max_cost: project 'demo' pays in CNY, not HKD"):
        stage.submit({"budget": {"max_cost": "5 HKD"}})
    document = {"name": "a", "run": "true", "time": "1h", "budget": {"max_cost": "400 JPY"}}
    with pytest.raises(Invalid, match="pays in CNY, not JPY"):
        explain.of_document(stage.platform, stage.team, document)
