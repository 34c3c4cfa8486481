"""The centre over a real Ray: the common behaviour, and what only Ray does."""

import select
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.queued import Pace, QueuedCentre
from baygrid.centres.ray import RayEngine, engine
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres import behaviour, behaviour_bytes
from tests.centres.site import RUNNING, order, start, until
from tests.engines import Ray

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(600), pytest.mark.xdist_group("ray")]

PATIENCE_S = 300
PACE = Pace(soon=100, tick=300, settle=2_000, lag=3_000, silent=10_000, again=200, again_most=1_000)


class RaySite:
    managed = False

    def __init__(self, root: Path, ray: Ray) -> None:
        self.root, self.ray = root, ray
        self.engine = self._engine()
        self.centre = self._centre()
        self.patience(PATIENCE_S)

    def patience(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def wait(self) -> None:
        assert time.monotonic() < self._end, f"nothing happened for too long: {self.ray.jobs()}"
        at = self.centre.wake_at(self.now())
        pause = 50 if at is None else min(50, max(0, at - self.now()))
        select.select([self.centre], [], [], pause / 1000)

    def restart(self) -> None:
        self.centre.close()
        self.engine.close()
        self.engine = self._engine()
        self.centre = self._centre()

    def close(self) -> None:
        """Nothing of it is left to keep the next test waiting."""
        self.centre.close()
        while sights := [
            self._sight(job) for job in self.ray.jobs() if job["status"] in ("PENDING", "RUNNING")
        ]:
            self.engine.signal(sights, "KILL")
            assert time.monotonic() < self._end, f"these do not end: {sights}"
            time.sleep(0.2)
        self.engine.close()

    def _sight(self, job: dict) -> Sight:
        return Sight(job["submission_id"], job["submission_id"], Stand.UNKNOWN, "")

    def _engine(self) -> RayEngine:
        return RayEngine(self.ray.dashboard, self.root, self.now)

    def _centre(self) -> QueuedCentre:
        return QueuedCentre(self.root, self.engine, name="ray", pace=PACE)


@pytest.fixture
def fresh(monkeypatch):
    """Orders of this test's own: for Ray a name is one for ever, so no two tests give the same token."""
    test = uuid.uuid4().hex

    def new(*arguments, **change):
        one = order(*arguments, **change)
        return replace(one, token=f"{test}-{one.token}")

    for part in (behaviour, behaviour_bytes):
        monkeypatch.setattr(part, "order", new)
    return new


@pytest.fixture
def site(tmp_path, ray, fresh):
    site = RaySite(tmp_path / "root", ray)
    yield site
    site.close()


class TestRay(behaviour.Behaviour):
    """Each job costs 2 s of CPU, for Ray watches it with a process of its own: of many there are fewer."""

    capabilities = frozenset({"accelerators", "checkpoint", "secrets"})
    managed = False
    many = 24


def test_a_dead_node_interrupts_its_jobs_and_comes_back(site, fresh):
    one = fresh("echo up; exec sleep 600", cpus=5)
    two = fresh("echo up; exec sleep 600", 2, cpus=5)
    start(site, one, two)
    places = {until(site, each, RUNNING).nodes: each for each in (one, two)}
    lost, kept = places["n2",], places["n1",]
    site.ray.act("kill-worker")
    try:
        seen = until(site, lost)
        assert (seen.state, seen.cause, seen.nodes) == (AttemptState.FAILED, "interrupted", ("n2",))
        assert until(site, kept, RUNNING).state is RUNNING
    finally:
        site.ray.act("start-worker")


def test_what_a_head_forgot_is_over_when_its_nodes_are(site, fresh, monkeypatch):
    """What ran was interrupted; the last word of what had ended by itself counts."""
    monkeypatch.setattr(engine, "APART_MS", 2_000)  # the nodes go with the head here
    one = fresh("echo up; exec sleep 600")
    start(site, one)
    until(site, one, RUNNING)
    site.ray.act("kill-head")
    site.ray.act("kill-worker")
    try:
        assert until(site, one, RUNNING).state is RUNNING, "a silent engine is not an absent job"
    finally:
        site.ray.act("start-head")
        site.ray.act("start-worker")
    seen = until(site, one)
    assert (seen.state, seen.cause, seen.raw) == (AttemptState.FAILED, "interrupted", "forgotten")
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.started_at <= seen.ended_at
    after = fresh("echo ran", 2)
    start(site, after)
    assert until(site, after).state is AttemptState.SUCCEEDED
