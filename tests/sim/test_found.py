"""What the simulation has found, each as a test of its own that needs no seed."""

from baygrid.centres.agent import Agent
from baygrid.centres.journal import MemoryJournal
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import Desired
from tests.centres.behaviour import order, sha256
from tests.centres.fakes import FakeCentre, FakeKey


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
