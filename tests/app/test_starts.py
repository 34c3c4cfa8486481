"""Expected starts on the real store and planner: what is told holds as often as it says."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random

import pytest

from baygrid.app import explain, jobs, scheduler
from baygrid.app.starts import FORESEEN
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.explaining.estimate import GUESSED, LEARNT
from baygrid.core.placement.timeline.predict import ENOUGH
from baygrid.ports.messages import Order
from baygrid.ports.records import AttemptRecord
from tests.app.stage import OPERATOR, Site, Stage
from tests.app.test_turns import begin_anew

MINUTE = 60_000


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """One server leads all the time, however far the clock jumps."""
    monkeypatch.setattr(scheduler, "LEASE_MS", 1 << 50)
    return Stage(funds="100000000 CNY")


class Course:
    """Jobs come and end by a simulated clock; how long one runs only this knows."""

    def __init__(self, stage: Stage, site: Site, seed: int) -> None:
        self.stage, self.site = stage, site
        self.chance = Random(seed)
        self.jobs: list[str] = []
        self._ends: list[tuple[int, str, Order, int]] = []
        self._began: set[str] = set()

    def advance(self, until: int) -> None:
        """All that ends until then has ended."""
        while self._ends and self._ends[0][0] <= until:
            at, _, order, lasts = heappop(self._ends)
            self.stage.now = max(self.stage.now, at)
            self.site.report(self.site.says(order, AttemptState.SUCCEEDED, lasts))
            self.begin()
        self.stage.now = max(self.stage.now, until)

    def begin(self) -> None:
        """What can start now starts, and runs for as long as it will: a part of its limit, often small."""
        self.site.report()
        self.stage.schedule()
        for order in self.site.desired().orders:
            if order.attempt not in self._began:
                self._began.add(order.attempt)
                part = min(1.0, self.chance.lognormvariate(-1.5, 1.0))
                lasts = max(1, int(order.time_s * part))
                heappush(self._ends, (self.stage.now + lasts * 1000, order.attempt, order, lasts))

    def come(self, every_s: float) -> None:
        """One more job."""
        self.advance(self.stage.now + int(self.chance.expovariate(1 / every_s) * 1000))
        hours = self.chance.choice(["20m", "1h", "1h", "4h"])
        cpus = self.chance.choice([2, 4, 4, 8])
        document = {"name": f"job-{cpus}", "time": hours, "resources": {"cpus": cpus}}
        self.jobs += self.stage.submit(document)
        self.begin()

    def attempts(self) -> list[AttemptRecord]:
        """In the order in which their jobs came."""
        found = self.stage.store.read(lambda tx: tx.attempts.of_jobs(self.jobs))
        return sorted(found, key=lambda it: self.jobs.index(it.job))


def foreseen(attempt: AttemptRecord) -> dict[str, int] | None:
    return attempt.reasons["outcome"]["data"].get(FORESEEN)


@pytest.mark.slow
@pytest.mark.timeout(600)  # a minute of work, on a machine that may be busy
def test_four_of_five_that_waited_start_in_the_range_that_was_told(stage: Stage) -> None:
    course = Course(stage, stage.add_site("qianhai", nodes=4), seed=2)
    for _ in range(2_000):
        course.come(every_s=290)
    told = [(attempt.placed_at, it) for attempt in course.attempts() if (it := foreseen(attempt)) is not None]
    assert len(told) > 1_000
    inside = [it["start_p10_ms"] <= placed <= it["start_p90_ms"] for placed, it in told]
    assert 0.75 <= sum(inside) / len(inside) <= 0.85


WHOLE = {"resources": {"cpus": 8}}


def run_next(stage: Stage, site: Site) -> None:
    """What was placed runs for six minutes of its hour; then the next is placed."""
    (order,) = (o for o in site.desired().orders if o.state is AttemptState.PLACED)
    stage.pass_time(6 * MINUTE)
    site.report(site.says(order, AttemptState.SUCCEEDED, 360))
    stage.schedule()


@pytest.mark.parametrize("restart", [False, True])
def test_an_explanation_tells_what_came_of_those_before(stage: Stage, restart: bool) -> None:
    site = stage.add_site("qianhai")
    last = stage.submit(*[WHOLE] * (ENOUGH + 3))[-1]
    stage.schedule()
    first = explain.of_job(stage.platform, OPERATOR, last)
    assert first.text.endswith(f"({GUESSED})")
    assert first.facts["start_learnt_from"] == 0
    for _ in range(ENOUGH + 1):
        run_next(stage, site)
    if restart:
        begin_anew(stage)
    told = explain.of_job(stage.platform, OPERATOR, last)
    assert told.text.endswith(f"({LEARNT})")
    assert told.facts["start_learnt_from"] >= ENOUGH
    assert told.facts["start_p10_ms"] <= told.facts["start_ms"] <= told.facts["start_p90_ms"]
    document = {"name": "job", "run": "true", "time": "1h", **WHOLE}
    assert f"({LEARNT})" in explain.of_document(stage.platform, stage.team, document).text


def test_who_was_placed_can_see_when_that_was_foreseen(stage: Stage) -> None:
    site = stage.add_site("qianhai")
    at_once, waited = stage.submit(WHOLE, WHOLE)
    stage.schedule()
    began = stage.now
    run_next(stage, site)
    assert FORESEEN not in explain.of_job(stage.platform, OPERATOR, at_once).facts
    told = explain.of_job(stage.platform, OPERATOR, waited).facts[FORESEEN]
    assert told["at_ms"] == began
    assert began <= told["start_p10_ms"] <= told["start_ms"] <= told["start_p90_ms"]


def test_a_job_that_was_cancelled_teaches_nothing(stage: Stage) -> None:
    stage.add_site("qianhai")
    _, waiting = stage.submit(WHOLE, WHOLE)
    stage.schedule()
    known = stage.platform.follower.region
    assert waiting in known.starts.ranges
    jobs.cancel(stage.platform, OPERATOR, waiting)
    stage.schedule()
    assert waiting not in known.starts.ranges
