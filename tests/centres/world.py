"""An agent, its centre and its server, and a clock that a test moves."""

from baygrid.centres.agent import Agent
from baygrid.centres.steps import step
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.fakes import FakeCentre, FakeKey, FakeServer, MemoryJournal

HOUR = 3_600_000
RUNNING, SUCCEEDED, FAILED = AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.FAILED
CANCELLED, UNKNOWN, STAGING = AttemptState.CANCELLED, AttemptState.UNKNOWN, AttemptState.STAGING
WAITING = AttemptState.WAITING


class World:
    """An agent, its centre and its server, and a clock that a test moves."""

    def __init__(self) -> None:
        self.centre, self.server, self.journal = FakeCentre(), FakeServer(), MemoryJournal()
        self.time = 1_000_000
        self.epoch = "boot-1"
        self.agent = self.new_agent()

    def new_agent(self) -> Agent:
        return Agent("hq", self.centre, self.journal, FakeKey(), self.time, epoch=self.epoch)

    def restart(self) -> None:
        self.agent = self.new_agent()

    def take(self) -> None:
        self.agent.take(self.server.desired(self.agent.incarnation, self.agent.gen, 0), self.time)

    def step(self, times: int = 1, ms: int = 400) -> None:
        for _ in range(times):
            step(self.agent, self.centre, self.server, lambda: self.time)
            self.time += ms

    def state(self, one) -> AttemptState:
        return self.server.last[one.attempt].state
