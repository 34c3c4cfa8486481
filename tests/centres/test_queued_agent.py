"""The whole agent over a queued centre: brain, loop and threads, a real small engine, a server in memory."""

from dataclasses import replace

import pytest

from baygrid.centres.queued import QueuedCentre
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.fakes import FakeServer
from tests.centres.fifo import Faulty
from tests.centres.looping import looping
from tests.centres.site import order, stop_of
from tests.centres.test_queued import PACE


class Region:
    """A server, an engine and, one after the other, agents on the same state folder."""

    def __init__(self, folder):
        self.folder, self.server, self.engine = folder, FakeServer(), Faulty()

    def agent(self):
        centre = QueuedCentre(self.folder / "attempts", self.engine, name="hq", pace=PACE)
        return looping(self.folder, centre, self.server)

    def wait(self, one, *states):
        self.server.wait_for(lambda: self.told(one) in states)

    def told(self, one):
        return self.server.last[one.attempt].state if one.attempt in self.server.last else None


@pytest.fixture
def region(tmp_path):
    region = Region(tmp_path)
    yield region
    region.engine.stop_all()


def anywhere(run, number=1, **more):
    """An order that leaves the nodes to the centre."""
    return replace(order(run, number, **more), nodes=())


def test_orders_without_nodes_run_and_are_told_with_theirs(region):
    one, pair = anywhere("echo one", 1), anywhere("echo rank $NODE_RANK", 2, count=2)
    with region.agent():
        region.server.want(one, pair)
        for wanted in (one, pair):
            region.wait(wanted, AttemptState.SUCCEEDED)
        region.server.wait_for(lambda: len(region.server.logs.get(pair.attempt, b"")) == 14)
    assert [len(region.server.last[wanted.attempt].nodes) for wanted in (one, pair)] == [1, 2]
    records = {signed.usage.attempt: signed.usage for signed in region.server.usage.values()}
    assert [records[wanted.attempt].nodes for wanted in (one, pair)] == [1, 2]
    held = {task.task.order.attempt: task for task in region.engine.held}
    for attempt, usage in records.items():
        assert (usage.start, usage.end) == (held[attempt].started_at, held[attempt].ended_at)
    assert region.server.logs[one.attempt] == b"one\n"


def test_an_agent_that_restarts_goes_on_and_runs_nothing_twice(region):
    done, long = anywhere("echo done", 1), anywhere("echo up; exec sleep 600", 2)
    region.engine.faults = [("submit", "lost after")]
    with region.agent():
        region.server.want(done, long)
        region.server.wait_for(lambda: len(region.engine.held) == 2 or None)
    with region.agent():
        region.wait(done, AttemptState.SUCCEEDED)
        region.wait(long, AttemptState.RUNNING)
    with region.agent():
        region.server.want(stops=[stop_of(long)])
        region.wait(long, AttemptState.CANCELLED)
        region.server.wait_for(lambda: region.server.logs.get(long.attempt) == b"up\n")
    assert len(region.engine.held) == 2
    assert region.server.logs == {done.attempt: b"done\n", long.attempt: b"up\n"}
