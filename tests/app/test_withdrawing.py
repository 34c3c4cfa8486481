"""What waits too long in a centre's own queue is asked back where it could start at once, and placed again
only when the centre has confirmed that it never began."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import explain, jobs, policies
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import WITHDRAWN, Order, Stop
from baygrid.ports.records import AttemptRecord, Cursor, JobRecord, Want
from tests.app.stage import OPERATOR, Site, Stage

PATIENCE_MS = 600_000


class Region:
    """`slurm`, the cheaper, queues for itself; `local` is managed, and has one node that a long job is on."""

    def __init__(self, state: AttemptState = AttemptState.WAITING) -> None:
        self.stage = stage = Stage()
        self.slurm = stage.add_site("slurm", driver="queueing")
        self.local = stage.add_site("local", cpu_hour="3")
        centre = {"managed": False, "max_pending": 2, "patience": "10m"}
        policies.set_policy(stage.platform, OPERATOR, {"centres": {"slurm": centre}}, None)
        asked = {"resources": {"cpus": 8}}
        (self.long,) = stage.submit(asked | {"infra": "local", "time": "10h"})
        (self.job,) = stage.submit(asked | {"nodes": 1})
        stage.schedule()
        (self.order,) = self.slurm.desired().orders
        self.hear(state)

    def hear(self, state: AttemptState = AttemptState.WAITING) -> None:
        """Both centres report; slurm's only attempt is in `state`."""
        self.slurm.report(self.slurm.says(self.order, state))
        self.local.report()
        self.stage.schedule()

    def wait(self, ms: int) -> None:
        self.stage.pass_time(ms)
        self.hear()

    def free_local(self) -> None:
        (order,) = self.local.desired().orders
        self.local.report(self.local.says(order, AttemptState.SUCCEEDED))
        self.stage.schedule()

    def stops(self) -> tuple[Stop, ...]:
        return self.slurm.desired().stops

    def attempts(self) -> list[AttemptRecord]:
        return self.stage.store.read(lambda tx: tx.attempts.of_jobs([self.job]))

    def row(self) -> JobRecord:
        return self.stage.store.read(lambda tx: tx.jobs.get([self.job]))[self.job]

    def confirm(self) -> None:
        """The centre says that it never began, and never will."""
        gone = replace(self.slurm.says(self.order, AttemptState.CANCELLED), started_at=None, usage=())
        self.slurm.report(gone)


def asked_back() -> Region:
    region = Region()
    region.wait(PATIENCE_MS)
    region.free_local()
    return region


def placed_at(order: Order, site: Site) -> bool:
    return order.job in {it.job for it in site.desired().orders}


def test_nothing_is_asked_back_while_there_is_patience_or_nothing_else_is_free():
    region = Region()
    region.wait(PATIENCE_MS - 1000)
    region.free_local()
    assert region.stops() == ()  # nothing else is free, and then there is patience left
    region.wait(1000)  # the time alone is news: no job waits, and nothing happened
    assert [(stop.attempt, stop.reason) for stop in region.stops()] == [(region.order.attempt, WITHDRAWN)]
    region = Region()
    region.wait(10 * PATIENCE_MS)
    assert region.stops() == ()
    region.free_local()
    assert [stop.attempt for stop in region.stops()] == [region.order.attempt]


def test_the_job_starts_elsewhere_only_after_the_centre_has_confirmed():
    region = asked_back()
    region.wait(60_000)
    (attempt,) = region.attempts()
    assert (attempt.state, attempt.want) == (AttemptState.WAITING, Want.STOP)
    assert region.row().state is JobState.ACTIVE
    told = explain.of_job(region.stage.platform, OPERATOR, region.job)
    assert told.text.endswith("it waits there for too long, and is being withdrawn to start elsewhere")
    region.confirm()
    assert region.row().state is JobState.QUEUED
    region.stage.schedule()
    first, second = region.attempts()
    assert (first.state, first.cause, first.want) == (AttemptState.PREEMPTED, WITHDRAWN, Want.NOTHING)
    assert (second.centre, second.nodes) == ("local", ("local-0",))
    told = explain.of_job(region.stage.platform, OPERATOR, region.job)
    assert "after it waited too long for slurm/main, the cheapest with room, of 2" in told.text
    assert [row.verdict for row in told.rows] == ["chosen", "possible"]
    assert "its own queue has kept the job waiting" in told.rows[1].reasons[0]["text"]
    assert jobs.job(region.stage.platform, region.stage.team, region.job).charged == 0


def test_the_stream_tells_why():
    region = asked_back()
    region.confirm()
    region.stage.schedule()
    read = region.stage.store.read(lambda tx: tx.events.after(Cursor(), 99, job=region.job))
    told = [event for _, event in read]
    assert [event.kind for event in told] == [
        "job-submitted", "job-placed", "attempt-waiting", "withdraw-requested", "attempt-preempted",
        "job-requeued", "job-placed",
    ]  # fmt: skip
    asked = told[3]
    assert (asked.centre, asked.term > 0) == ("slurm", True)
    assert asked.data["reason"]["text"] == (
        "has waited 600 s for slurm/main, whose own queue is given 600 s: local/main would start it now"
    )
    assert told[5].data["cause"] == WITHDRAWN


def test_what_began_meanwhile_goes_on_there():
    region = asked_back()
    region.hear(AttemptState.RUNNING)
    (attempt,) = region.attempts()
    assert (attempt.state, attempt.want, attempt.stop_reason) == (AttemptState.RUNNING, Want.RUN, "")
    assert region.stops() == ()
    assert placed_at(region.order, region.slurm)
    region.stage.pass_time(60_000)
    region.slurm.report(region.slurm.says(region.order, AttemptState.SUCCEEDED))
    assert region.row().state is JobState.SUCCEEDED


def test_a_user_may_still_cancel_it():
    region = asked_back()
    jobs.cancel(region.stage.platform, region.stage.team, region.job)
    (stop,) = region.stops()
    assert stop.reason == "cancelled"
    region.confirm()
    assert region.row().state is JobState.CANCELLED


def test_it_goes_back_where_nothing_else_is_free_any_more():
    region = asked_back()
    asked = {"resources": {"cpus": 8}, "infra": "local", "time": "10h"}
    region.stage.submit(asked)
    region.stage.schedule()  # somebody else has the node before the centre confirms
    region.confirm()
    region.stage.schedule()
    again = region.attempts()[-1]
    assert (again.n, again.centre) == (2, "slurm")
    region.order = next(order for order in region.slurm.desired().orders if order.attempt == again.id)
    region.hear()
    assert region.stops() == ()  # it has patience anew


def test_a_silent_centre_is_not_asked():
    region = Region()
    region.stage.pass_time(2 * PATIENCE_MS)
    region.local.report()
    region.free_local()
    assert region.stops() == ()
    region.hear()
    assert [stop.attempt for stop in region.stops()] == [region.order.attempt]


@pytest.mark.parametrize("state", [AttemptState.STAGING, AttemptState.UNKNOWN])
def test_only_what_the_centre_says_waits_is_asked_back(state: AttemptState):
    region = Region(state)
    region.stage.pass_time(2 * PATIENCE_MS)
    region.hear(state)
    region.free_local()
    assert [row.state for row in region.attempts()] == [state]
    assert region.stops() == ()
