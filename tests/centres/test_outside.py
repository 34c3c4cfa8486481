"""An agent tells each job that ran without Baygrid, whatever is lost, late or repeated: never a gap."""

from collections.abc import Sequence

import pytest

from baygrid.centres.outside import BACK_MS, EVERY_MS, LAG_MS, PAGE, WINDOW_MS
from baygrid.ports.messages import Outside
from tests.centres.fakes import FakeCentre
from tests.centres.fifo import Faulty
from tests.centres.test_queued import QueuedSite
from tests.centres.world import HOUR, World


def ended(number: int, end: int) -> Outside:
    return Outside(str(number), "chen", "gpu", end - 1000, end, 1, 8, 1024, {})


class Ledger(FakeCentre):
    """Its accounting knows what it knows when it is asked; the answer comes with the next tick but one."""

    def __init__(self) -> None:
        super().__init__()
        self.able = frozenset({"outside-usage"})
        self.jobs: list[Outside] = []
        self.asked: list[tuple[int, int]] = []
        self.silent = False
        self._answers: list[Sequence[Outside] | None] = []

    def ask_outside(self, since: int, until: int) -> None:
        self.asked.append((since, until))
        self._answers = [None, [job for job in self.jobs if since <= job.end < until]]

    def outside(self) -> Sequence[Outside] | None:
        return self._answers.pop(0) if self._answers and not self.silent else None


@pytest.fixture
def world():
    made = World()
    made.centre = Ledger()
    made.restart()
    return made


def hours(world: World, number: float) -> None:
    world.step(round(number * 60), ms=60_000)


def told(world: World) -> list[str]:
    """Ids in the order in which the server has stored them, each as often as it was sent and answered."""
    return [signed.job.id for report in world.server.reports for signed in report.outside]


def test_what_ends_is_told_within_the_next_hours_and_once(world):
    start = world.time
    world.centre.jobs = [ended(n, start + n * HOUR // 2) for n in range(20)]
    hours(world, 13)
    assert told(world) == [str(n) for n in range(20)]
    edges = [until for _, until in world.centre.asked]
    assert [since for since, _ in world.centre.asked[1:]] == [until - BACK_MS for until in edges[:-1]]


def test_what_comes_late_into_the_accounting_is_told_too(world):
    start = world.time
    hours(world, 3)
    world.centre.jobs.append(ended(1, start + HOUR))
    hours(world, 2)
    assert told(world) == ["1"]


def test_after_a_long_absence_it_catches_up_step_by_step(world):
    start = world.time
    world.centre.jobs = [ended(n, start + n * HOUR) for n in range(48)]
    hours(world, 0.1)
    world.time += 48 * HOUR
    world.restart()
    hours(world, 2)
    assert sorted(set(map(int, told(world)))) == list(range(48))
    assert all(until - since <= BACK_MS + WINDOW_MS for since, until in world.centre.asked)


def test_many_go_in_pages_and_what_is_lost_is_sent_again(world):
    world.centre.jobs = [ended(n, world.time) for n in range(2 * PAGE + 1)]
    world.time += HOUR
    hours(world, 1)
    world.server.deaf = True
    hours(world, 0.2)
    world.server.deaf = False
    hours(world, 0.5)
    assert set(map(int, told(world))) == set(range(2 * PAGE + 1))
    assert max(len(report.outside) for report in world.server.reports) == PAGE


def test_an_agent_that_dies_between_two_pages_goes_on_from_the_mark(world):
    world.centre.jobs = [ended(n, world.time) for n in range(2 * PAGE)]
    world.step(ms=60_000)
    world.time += LAG_MS + EVERY_MS
    while len(told(world)) < PAGE:
        world.step(ms=60_000)
    world.restart()
    hours(world, 1)
    assert set(map(int, told(world))) == set(range(2 * PAGE))


def test_a_silent_accounting_holds_the_mark(world):
    world.centre.jobs = [ended(1, world.time)]
    world.centre.silent = True
    hours(world, 5)
    assert told(world) == []
    world.centre.silent = False
    hours(world, 2)
    assert told(world) == ["1"]


def test_a_centre_that_cannot_say_is_not_asked(world):
    world.centre.able = frozenset()
    world.restart()
    hours(world, 3)
    assert world.centre.asked == []


class Accounting(Faulty):
    def outside(self, since: int, until: int) -> Sequence[Outside]:
        self._fault("outside")
        return [ended(1, since)]


def test_an_engine_is_asked_until_it_has_answered(tmp_path):
    engine = Accounting()
    engine.faults.append(("outside", "lost"))
    site = QueuedSite(tmp_path / "root", engine)
    site.centre.ask_outside(5_000, 9_000)
    found = None
    while found is None:
        site.centre.observe([], site.now())
        site.wait()
        found = site.centre.outside()
    assert found == [ended(1, 5_000)]
    assert site.centre.outside() is None
    site.close()
