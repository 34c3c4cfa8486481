"""The centre over an engine: the common behaviour, and what an engine can do wrong."""

import select
import time
from pathlib import Path

import pytest

from baygrid.centres.queued import Pace, QueuedCentre
from tests.centres import behaviour
from tests.centres.fifo import Faulty

PATIENCE_S = 60
PACE = Pace(soon=5, tick=40, settle=200, lag=300, silent=600, again=10, again_most=50, inventory=60_000)


class QueuedSite:
    """Waits for the engine's answers, and at most as long as its next look is away."""

    managed = False

    def __init__(self, root: Path, engine: Faulty | None = None) -> None:
        self.root = root
        self.engine = engine if engine is not None else Faulty()
        self.patience(PATIENCE_S)
        self.off_ms = 0  # of the agent's clock
        self.centre = self._new()

    def patience(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.off_ms

    def wait(self) -> None:
        assert time.monotonic() < self._end, "nothing happened for too long"
        at = self.centre.wake_at(self.now())
        pause = 20 if at is None else min(20, max(0, at - self.now()))
        select.select([self.centre], [], [], pause / 1000)

    def restart(self) -> None:
        self.centre.close()
        self.centre = self._new()

    def close(self) -> None:
        self.engine.stop_all()
        self.centre.close()

    def _new(self) -> QueuedCentre:
        return QueuedCentre(self.root, self.engine, name="queued", pace=PACE)


@pytest.fixture
def site(tmp_path):
    site = QueuedSite(tmp_path / "root")
    yield site
    site.close()


class TestQueuedCentre(behaviour.Behaviour):
    capabilities = frozenset({"gang", "accelerators", "checkpoint", "exec", "secrets"})
    managed = False
