"""How long one more job would wait: an engine is asked rarely and only while the server wants to know."""

from collections.abc import Sequence

import pytest

from baygrid.centres.queued.estimates import FRESH_MS, MOST, WANTED_MS, Estimates
from baygrid.centres.queued.life import NEVER
from baygrid.ports.messages import Forecast, Inquiry, Order
from tests.centres.fakes import FakeCentre
from tests.centres.fifo import Faulty
from tests.centres.test_queued import QueuedSite
from tests.centres.world import World

EVERY_MS = 30_000
ASKED = Inquiry("demo", "gpu", 2, 8, 4096, "H100", 4, 3600)


class Telling(Faulty):
    """An engine that says how long one would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[list[Order]] = []

    def capabilities(self) -> frozenset[str]:
        return super().capabilities() | {"estimate"}

    def waits(self, shapes: Sequence[Order]) -> Sequence[int | None]:
        self._fault("waits")
        self.shapes.append(list(shapes))
        return [60 * shape.count for shape in shapes]


def test_an_engine_is_asked_at_once_then_rarely_and_no_more_when_nobody_asks():
    engine = Telling()
    estimates = Estimates(engine, EVERY_MS)
    assert (estimates.due_at, estimates.errand(0)) == (NEVER, None)
    estimates.ask([ASKED] * (MOST + 5), 1_000)
    errand = estimates.errand(1_000)
    assert errand is not None
    estimates.answered(errand.about, errand.call(), 2_000)
    (shapes,) = engine.shapes
    assert len(shapes) == MOST
    assert (shapes[0].project, shapes[0].partition, shapes[0].count) == ("demo", "gpu", 2)
    assert shapes[0].run == ""
    assert estimates.told(2_000 + FRESH_MS)[0] == Forecast(ASKED, 120)
    assert estimates.told(2_001 + FRESH_MS) == ()
    assert estimates.errand(2_000 + EVERY_MS - 1) is None
    assert estimates.due_at == 2_000 + EVERY_MS
    errand = estimates.errand(2_000 + EVERY_MS)
    assert errand is not None
    estimates.answered(errand.about, None, WANTED_MS)  # silent
    assert estimates.due_at == NEVER


def test_a_centre_over_an_engine_tells_what_it_said_whatever_its_faults(tmp_path):
    engine = Telling()
    engine.faults.append(("waits", "lost"))
    site = QueuedSite(tmp_path / "root", engine)
    site.centre.ask_waits([ASKED], site.now())
    while not engine.shapes:
        site.centre.observe([], site.now())
        site.wait()
    while not site.centre.waits(site.now()):
        site.centre.observe([], site.now())
        site.wait()
    assert site.centre.waits(site.now()) == (Forecast(ASKED, 120),)
    site.close()


def test_an_engine_that_cannot_say_is_not_asked(tmp_path):
    site = QueuedSite(tmp_path / "root")
    site.centre.ask_waits([ASKED], site.now())
    assert site.centre._questions.estimates.due_at == NEVER
    site.close()


class Oracle(FakeCentre):
    """Says what a test tells it to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Sequence[Inquiry] = ()
        self.said: tuple[Forecast, ...] = ()

    def ask_waits(self, asked: Sequence[Inquiry], now: int) -> None:
        self.asked = asked

    def waits(self, now: int) -> tuple[Forecast, ...]:
        return self.said


@pytest.fixture
def world():
    made = World()
    made.centre = Oracle()
    made.restart()
    return made


def test_an_agent_passes_questions_on_and_answers_until_one_has_arrived(world):
    world.server.asked = (ASKED,)
    world.step()
    assert world.centre.asked == (ASKED,)
    world.centre.said = (Forecast(ASKED, 60),)
    world.server.deaf = True  # takes the report, and its answer is lost
    world.step(2, ms=11_000)
    world.server.deaf = False
    world.step(3, ms=11_000)
    assert [len(report.waits) for report in world.server.reports[1:]] == [1, 1, 0, 0]
    world.centre.said = (Forecast(ASKED, 90),)
    world.step(2, ms=11_000)
    assert [one.wait_s for report in world.server.reports[-2:] for one in report.waits] == [90]
