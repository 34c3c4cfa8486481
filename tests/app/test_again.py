"""Jobs that have more than one attempt: preempted by the platform, or tried again as they asked."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from baygrid.app import bill, blobs, centres, explain, jobs, projects
from baygrid.app.allocations import Wanted
from baygrid.app.problems import NotFound
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.records import CentreState, JobRecord
from tests.app.stage import OPERATOR, START, Site, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage(funds="3 CNY")


@pytest.fixture
def site(stage: Stage) -> Site:
    """One node of 8 cpus at 1 CNY an hour for each: a cpu for an hour is held for with 1.02 CNY."""
    return stage.add_site("qianhai")


def running(stage: Stage, site: Site, **document: object) -> Order:
    """A job of one cpu and one hour, that has run for ten minutes."""
    stage.submit(document)
    stage.schedule()
    (order,) = site.desired().orders
    stage.pass_time(600_000)
    return order


def job(stage: Stage, order: Order) -> JobRecord:
    return jobs.job(stage.platform, stage.team, order.job).job


def end(site: Site, order: Order, state: AttemptState, cause: str | None = None) -> None:
    site.report(site.says(order, state, 600, cause))


def test_a_preempted_job_is_queued_again_and_pays_what_it_used(stage: Stage, site: Site):
    order = running(stage, site)
    stage.preempt(order.attempt)
    assert [(stop.attempt, stop.reason) for stop in site.desired().stops] == [(order.attempt, "preempted")]
    assert job(stage, order).state is JobState.ACTIVE
    end(site, order, AttemptState.PREEMPTED)
    view = jobs.job(stage.platform, stage.team, order.job)
    assert (view.job.state, view.job.hold, view.job.attempts) == (JobState.QUEUED, 102, 1)
    assert (view.charged, view.cost[order.attempt]) == (17, 17)
    stage.schedule()
    (again,) = site.desired().orders
    view = jobs.job(stage.platform, stage.team, order.job)
    assert [(a.n, a.state) for a in view.attempts] == [(1, AttemptState.PREEMPTED), (2, AttemptState.PLACED)]
    stage.pass_time(600_000)
    end(site, again, AttemptState.SUCCEEDED)
    view = jobs.job(stage.platform, stage.team, order.job)
    assert (view.job.state, view.charged, view.job.retries) == (JobState.SUCCEEDED, 34, 0)


@pytest.mark.parametrize(
    ("state", "cause"),
    [(AttemptState.CANCELLED, None), (AttemptState.PREEMPTED, None), (AttemptState.FAILED, "interrupted")],
)
def test_what_our_stop_ended_counts_as_preempted(stage, site, state, cause):
    order = running(stage, site)
    stage.preempt(order.attempt)
    end(site, order, state, cause)
    assert job(stage, order).state is JobState.QUEUED


@pytest.mark.parametrize("cause", ["exit-code", "time-limit"])
def test_what_failed_by_itself_while_it_was_stopped_has_failed(stage, site, cause):
    order = running(stage, site)
    stage.preempt(order.attempt)
    end(site, order, AttemptState.FAILED, cause)
    assert job(stage, order).state is JobState.FAILED


@pytest.mark.parametrize("first", ["preempt", "cancel"])
def test_the_user_s_word_counts_more_than_the_scheduler_s(stage: Stage, site: Site, first: str):
    order = running(stage, site)
    for what in (first, {"preempt": "cancel", "cancel": "preempt"}[first]):
        if what == "preempt":
            stage.preempt(order.attempt)
        else:
            jobs.cancel(stage.platform, stage.team, order.job)
    end(site, order, AttemptState.PREEMPTED)
    assert job(stage, order).state is JobState.CANCELLED
    assert projects.project(stage.platform, OPERATOR, "demo").held == 0


def test_preempting_what_has_ended_changes_nothing(stage: Stage, site: Site):
    order = running(stage, site)
    end(site, order, AttemptState.SUCCEEDED)
    stage.preempt(order.attempt, "att-none")
    assert job(stage, order).state is JobState.SUCCEEDED
    assert site.desired().stops == ()


def test_without_money_it_is_held_until_there_is_some(stage: Stage, site: Site):
    stage.add_site("dear", cpu_hour="2")
    order = running(stage, site)  # 2.04 CNY were held, 1.02 are since it was placed
    stage.submit({"budget": {"max_cost": "1.90 CNY"}})
    stage.preempt(order.attempt)
    end(site, order, AttemptState.PREEMPTED)
    held = job(stage, order)
    assert (held.state, held.cause, held.hold, held.asked) == (JobState.HELD, "money", 0, 204)
    stage.schedule()
    assert job(stage, order).state is JobState.HELD
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(20, "CNY"), "a little"))
    assert job(stage, order).state is JobState.HELD
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(200, "CNY"), "enough"))
    assert (job(stage, order).state, job(stage, order).hold) == (JobState.QUEUED, 204)


def test_the_end_of_another_job_frees_the_money(stage: Stage, site: Site):
    stage.add_site("dear", cpu_hour="2")
    order = running(stage, site)
    (other,) = stage.submit({"budget": {"max_cost": "1.90 CNY"}})
    stage.preempt(order.attempt)
    end(site, order, AttemptState.PREEMPTED)
    assert job(stage, order).state is JobState.HELD
    jobs.cancel(stage.platform, stage.team, other)
    assert job(stage, order).state is JobState.QUEUED


TWO_IN_TURN = {"array": {"range": "0-1", "parallel": 1}, "budget": {"max_cost": "1 CNY"}}


def second_without_money(stage: Stage, site: Site) -> JobRecord:
    """The first element of TWO_IN_TURN, the newest order, ends; for the second there is no money then."""
    end(site, max(site.desired().orders, key=lambda order: order.attempt), AttemptState.SUCCEEDED)
    (short,) = stage.store.read(lambda tx: tx.jobs.page("demo", [JobState.HELD], None, 9))
    assert (short.index, short.asked) == (1, 100)
    return short


def test_what_a_placement_leaves_free_goes_to_who_lacks_it(stage: Stage, site: Site):
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(20, "CNY"), "3.20 with this"))
    stage.add_site("dear", cpu_hour="2")
    running(stage, site, **TWO_IN_TURN)
    stage.submit()  # holds 2.04 CNY until it is placed, then 1.02
    short = second_without_money(stage, site)
    stage.schedule()
    assert jobs.job(stage.platform, stage.team, short.id).job.state is JobState.ACTIVE


def test_what_one_held_that_lacks_money_now_goes_to_another(stage: Stage, site: Site):
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(20, "CNY"), "3.20 with this"))
    stage.add_site("dear", cpu_hour="2")
    stage.submit()  # 2.04 CNY are held, and 1.02 from the time that it is placed
    stage.schedule()
    (first,) = site.desired().orders
    stage.submit(TWO_IN_TURN)
    stage.schedule()
    stage.pass_time(600_000)
    stage.submit({"budget": {"max_cost": "1.08 CNY"}})
    short = second_without_money(stage, site)
    stage.preempt(first.attempt)
    end(site, first, AttemptState.PREEMPTED)
    assert job(stage, first).state is JobState.HELD
    assert jobs.job(stage.platform, stage.team, short.id).job.state is JobState.QUEUED


def test_retry_is_off_unless_asked(stage: Stage, site: Site):
    order = running(stage, site)
    end(site, order, AttemptState.FAILED, "interrupted")
    assert job(stage, order).state is JobState.FAILED


def test_an_error_is_tried_again_as_often_as_asked(stage: Stage, site: Site):
    order = running(stage, site, retry={"on": ["error"], "max": 1})
    end(site, order, AttemptState.FAILED)
    row = job(stage, order)
    assert (row.state, row.cause, row.retries) == (JobState.HELD, "back-off", 1)
    assert (row.not_before, row.hold) == (stage.now + 10_000, row.asked)
    assert row.detail == "attempt 1 ended: exit-code; tried again after 10s"
    stage.pass_time(9_000)
    stage.schedule()
    assert site.desired().orders == ()
    assert "tried again after 10s" in str(explain.of_job(stage.platform, stage.team, row.id))
    stage.pass_time(1_000)
    site.report()
    stage.schedule()
    assert (job(stage, order).not_before, job(stage, order).detail) == (None, "")
    (again,) = site.desired().orders
    stage.pass_time(600_000)
    end(site, again, AttemptState.FAILED)
    assert (job(stage, order).state, job(stage, order).cause) == (JobState.FAILED, "exit-code")
    assert jobs.job(stage.platform, stage.team, order.job).charged == 34


def test_a_lost_attempt_is_tried_again_uncharged_and_its_first_is_still_stopped(stage: Stage, site: Site):
    order = running(stage, site, retry={"on": ["lost"]})
    jobs.declare_lost(stage.platform, OPERATOR, order.attempt)
    assert job(stage, order).state is JobState.QUEUED
    assert [stop.attempt for stop in site.desired().stops] == [order.attempt]
    site.report()
    stage.schedule()
    (again,) = site.desired().orders
    end(site, order, AttemptState.CANCELLED)
    assert job(stage, order).state is JobState.ACTIVE
    stage.pass_time(600_000)
    end(site, again, AttemptState.SUCCEEDED)
    view = jobs.job(stage.platform, stage.team, order.job)
    assert (view.job.state, view.charged) == (JobState.SUCCEEDED, 17)


@pytest.mark.parametrize("kept", [False, True])
def test_what_broke_off_at_its_centre_is_charged_only_where_something_was_kept(stage, site, kept):
    order = running(stage, site, checkpoint={"path": "ckpt"}, retry={"max": 1})
    left = hashlib.sha256(b"left").hexdigest()
    blobs.put(stage.platform, site.actor, left, 0, 4, iter([b"left"]))
    told = site.says(order, AttemptState.FAILED, 600, cause="interrupted")
    site.report(replace(told, outputs={"checkpoint": left} if kept else {}))
    view = jobs.job(stage.platform, stage.team, order.job)
    assert (view.job.state, view.charged) == (JobState.QUEUED, 17 if kept else 0)
    bills = (
        bill.of_job(stage.platform, stage.team, order.job, recompute=True),
        bill.bill(stage.platform, stage.team, "demo", START, stage.now + 1, recompute=True),
    )
    for it in bills:
        assert it.differences == ()
        spared = [(one.attempt, one.ended_at - one.started_at, one.why) for one in it.spared]
        why = "it was interrupted at its centre, and nothing of it was kept"
        assert spared == ([] if kept else [(order.attempt, 600_000, why)])


def test_what_is_lost_is_on_the_bill_as_not_charged(stage: Stage, site: Site):
    order = running(stage, site)
    site.report(replace(site.says(order, AttemptState.RUNNING), started_at=START))
    jobs.declare_lost(stage.platform, OPERATOR, order.attempt)
    (spared,) = bill.bill(stage.platform, stage.team, "demo", START, stage.now + 1, recompute=True).spared
    assert (spared.attempt, spared.why) == (order.attempt, "its centre lost it")


def test_what_somebody_cancelled_is_not_tried_again(stage: Stage, site: Site):
    order = running(stage, site, retry={"max": 5})
    jobs.cancel(stage.platform, stage.team, order.job)
    end(site, order, AttemptState.FAILED)
    assert job(stage, order).state is JobState.FAILED


def test_max_cost_is_for_all_attempts_together(stage: Stage, site: Site):
    order = running(stage, site, retry={"max": 5}, budget={"max_cost": "1.30 CNY"})
    end(site, order, AttemptState.FAILED)
    assert (job(stage, order).state, job(stage, order).hold) == (JobState.HELD, 113)
    stage.pass_time(10_000)
    site.report()
    stage.schedule()
    (again,) = site.desired().orders
    stage.pass_time(600_000)
    end(site, again, AttemptState.FAILED)
    view = jobs.job(stage.platform, stage.team, order.job)
    assert (view.job.state, view.charged) == (JobState.FAILED, 34), "0.96 CNY are left, less than it may cost"


CHECKPOINT = {"signal": "USR1", "grace": "60s", "path": "ckpt"}


def test_the_next_attempt_goes_on_from_the_checkpoint(stage: Stage, site: Site):
    order = running(stage, site, checkpoint=CHECKPOINT, retry={"max": 1})
    assert (order.signal, order.grace_s, order.checkpoint, order.restore) == ("USR1", 60, "ckpt", None)
    assert job(stage, order).hold == 103, "3690 s: time, grace and kill wait"
    stage.preempt(order.attempt)
    (stop,) = site.desired().stops
    assert (stop.reason, stop.signal, stop.grace_s) == ("preempted", "USR1", 60)
    kept = hashlib.sha256(b"left").hexdigest()
    blobs.put(stage.platform, site.actor, kept, 0, 4, iter([b"left"]))
    left = replace(site.says(order, AttemptState.PREEMPTED, 600), outputs={"checkpoint": kept})
    site.report(left)
    assert blobs.outputs(stage.platform, stage.team, order.job) == [], "it is no result"
    stage.schedule()
    (again,) = site.desired().orders
    assert (again.checkpoint, again.restore) == ("ckpt", kept)
    # It fails, and leaves none: the older one is still the best that there is.
    stage.pass_time(600_000)
    end(site, again, AttemptState.FAILED)
    stage.pass_time(10_000)
    site.report()
    stage.schedule()
    (third,) = site.desired().orders
    assert third.restore == kept
    assert [one.envs["BAYGRID_RESTART"] for one in (order, again, third)] == ["0", "1", "2"]


def test_an_agent_may_fetch_the_checkpoint_it_needs_and_no_other(stage: Stage, site: Site):
    kept = hashlib.sha256(b"left").hexdigest()
    other = stage.add_site("other", cpu_hour="2")
    order = running(stage, site, checkpoint=CHECKPOINT)
    stage.preempt(order.attempt)
    blobs.put(stage.platform, site.actor, kept, 0, 4, iter([b"left"]))
    site.report(replace(site.says(order, AttemptState.PREEMPTED, 600), outputs={"checkpoint": kept}))
    with pytest.raises(NotFound):
        blobs.get(stage.platform, other.actor, kept)
    centres.set_state(stage.platform, OPERATOR, site.name, CentreState.DRAINED)
    other.report()
    stage.schedule()
    assert b"".join(blobs.get(stage.platform, other.actor, kept)[1]) == b"left"
