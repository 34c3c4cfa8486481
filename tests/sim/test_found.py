"""What the simulation has found, each as a test of its own that needs no seed."""

from dataclasses import replace
from pathlib import Path

from baygrid.app import bill
from baygrid.centres.agent import Agent
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import AttemptReport, Desired, ReportAnswer
from tests.app.stage import Stage
from tests.centres.fakes import FakeCentre, FakeKey, MemoryJournal
from tests.centres.site import order, sha256


def test_what_may_have_been_started_is_not_staged_again_after_a_restart():
    """The wrapper was slow to claim, the agent died and asked for the workdir again; it was refused, since
    the job had been cancelled, so the agent said staging-failed. Then the wrapper began."""
    centre, journal, one = FakeCentre(), MemoryJournal(), order(workdir=sha256(b"workdir"))
    agent = Agent("hq", centre, journal, FakeKey(), 1_000, epoch="boot")
    agent.take(Desired(1, (one,), ()), 1_000)
    assert agent.staging_due(1_000) == [one]
    agent.staged(one.attempt, 1_000)
    agent.tick(1_000)
    assert centre.started == {one.token: 1}
    centre.states.clear()  # not claimed yet: the centre does not know it

    agent = Agent("hq", centre, journal, FakeKey(), 2_000, epoch="boot")
    agent.tick(2_000)
    assert agent.staging_due(2_000) == [], "what is fetched now could be refused"
    agent.tick(2_100)
    assert centre.started == {one.token: 2}, "the claim decides between the two"
    assert agent.attempts[one.attempt].final is None
    assert centre.states[one.token].state is AttemptState.RUNNING


def test_an_agent_that_lost_its_journal_does_not_have_the_same_time_charged_twice():
    """It numbers its records anew. The new record 0 was charged, but not stored, since there was one; and
    record 1 of before was charged as well."""
    stage = Stage()
    site = stage.add_site("hq", cpu_hour="60")
    stage.submit()
    stage.schedule()
    order = site.desired().orders[0]
    begun = stage.now
    stage.pass_time(20_000)
    seen = AttemptReport(order.attempt, order.token, AttemptState.RUNNING, started_at=begun)
    records = [site.usage(order, begun + n * 10_000, begun + (n + 1) * 10_000, n) for n in range(2)]
    site.report(replace(seen, usage=tuple(records)))
    stage.pass_time(10_000)
    whole = site.usage(order, begun, stage.now)
    site.report(
        replace(
            seen, state=AttemptState.SUCCEEDED, exit_code=0, ended_at=stage.now, usage=(whole,), log_size=0
        )
    )
    found = bill.bill(stage.platform, stage.team, "demo", 0, stage.now + 1, recompute=True)
    assert found.differences == ()
    assert found.total == 34, "2 x 10 s of a cpu at 60 CNY an hour, each rounded: what is stored is charged"


def test_an_end_is_not_told_before_the_last_of_its_usage():
    """With more records than fit a report, an attempt with outputs was said to have succeeded at once,
    without times or exit code; the server closed it and charged what it had."""
    centre, one = FakeCentre(), order(outputs=("labels",))
    agent = Agent("hq", centre, MemoryJournal(), FakeKey(), 1_000, usage_every=10)
    agent.take(Desired(1, (one,), ()), 1_000)
    agent.tick(1_000)
    agent.tick(9_990)
    centre.end(one.token, AttemptState.SUCCEEDED, 10_000, outputs={"labels": Path("labels")})
    agent.tick(10_000)
    assert [due.name for due in agent.blobs_due(10_000)] == ["labels"]
    agent.published(one.attempt, "labels", sha256(b""), 10_000)
    told = 0
    while told < 900:
        report = agent.report(10_000).attempts[0]
        told += len(report.usage)
        assert report.state.final == (told == 900)
        stored = [(one.attempt, signed.usage.n) for signed in report.usage]
        agent.answered(ReportAnswer(1, (), stored, "", ()), 10_000)
