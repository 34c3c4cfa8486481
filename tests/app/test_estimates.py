"""What a centre's own scheduler says of waits: asked for by the leader, carried by reports, believed for five
minutes, shown with its origin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import explain, policies
from baygrid.app.estimates import ASK_EVERY_MS, ASKED_MS, FRESH_MS
from baygrid.app.explain import Row
from baygrid.ports.messages import DriverReport, Forecast, Inquiry
from tests.app.stage import OPERATOR, Site, Stage

ASKED = Inquiry("demo", "main", 1, 8, 8 * 2048, None, 0, 3600)
HURRIED = {"name": "hurried", "time": "1h", "resources": {"cpus": 8, "memory": 16}, "prefer": "time"}


class Region:
    """`slurm` queues for itself and can say for how long; the dearer `local` is managed."""

    def __init__(self) -> None:
        self.stage = stage = Stage()
        self.slurm = stage.add_site("slurm", driver="queueing", nodes=2)
        self.local = stage.add_site("local", cpu_hour="3")
        self.slurm.driver = DriverReport("queueing", "22.05.8", ("gang", "estimate"))
        centre = {"managed": False, "max_pending": 2}
        policies.set_policy(stage.platform, OPERATOR, {"centres": {"slurm": centre}}, None)
        self.slurm.report()
        (self.job,) = stage.submit(HURRIED)
        stage.schedule()

    def pass_time(self, ms: int) -> None:
        """Both centres are heard of all the time."""
        for _ in range(-(-ms // 20_000)):
            self.stage.pass_time(min(20_000, ms))
            ms -= 20_000
            self.slurm.report()
            self.local.report()
            self.stage.schedule()

    def ask(self) -> tuple[Inquiry, ...]:
        self.pass_time(ASK_EVERY_MS)
        return tuple(self.slurm.report().asked)

    def tell(self, wait_s: int | None, inquiry: Inquiry = ASKED) -> None:
        self.slurm.report(waits=(Forecast(inquiry, wait_s),))
        self.stage.schedule()

    def row(self, site: Site) -> Row:
        """Of what would become of one more such job."""
        found = explain.of_document(self.stage.platform, self.stage.team, {"run": "true", **HURRIED})
        return next(row for row in found.rows if row.name.startswith(site.name))


def test_a_centre_is_asked_and_its_word_decides_and_is_shown():
    region = Region()
    assert region.ask() == (ASKED,)
    assert tuple(region.local.report().asked) == ()
    assert (region.row(region.slurm).verdict, region.row(region.slurm).centre_wait_s) == ("chosen", None)
    region.tell(7_100)
    found = region.row(region.slurm)
    assert (found.verdict, found.wait_s, found.centre_wait_s) == ("possible", 7_140, 7_140)
    assert region.row(region.local).verdict == "chosen"
    assert region.row(region.local).centre_wait_s is None
    region.tell(3)
    assert (region.row(region.slurm).verdict, region.row(region.slurm).centre_wait_s) == ("chosen", 0)


def test_what_was_said_five_minutes_ago_counts_for_nothing():
    region = Region()
    region.ask()
    region.tell(7_200)
    region.pass_time(FRESH_MS)
    assert region.row(region.slurm).centre_wait_s == 7_200
    region.pass_time(1)
    assert region.row(region.slurm).centre_wait_s is None


def test_a_server_that_begins_knows_it_too():
    region = Region()
    region.ask()
    region.tell(7_200)
    region.stage.platform.follower.load(region.stage.now)
    assert region.row(region.slurm).centre_wait_s == 7_200


def test_what_nobody_asks_any_more_is_not_passed_on():
    region = Region()
    assert region.ask() == (ASKED,)
    region.stage.pass_time(ASKED_MS + 1)
    assert tuple(region.slurm.report().asked) == ()


@pytest.mark.parametrize(
    ("wait_s", "inquiry"),
    [
        (-1, ASKED),
        (1 << 62, ASKED),
        (1 << 70, ASKED),
        (60, replace(ASKED, cpus=1)),
        (60, replace(ASKED, partition="x" * 1000)),
    ],
)
def test_what_cannot_be_or_was_not_asked_for_changes_nothing(wait_s: int, inquiry: Inquiry):
    region = Region()
    region.ask()
    region.tell(7_200)
    region.tell(wait_s, inquiry)
    region.slurm.report(waits=(Forecast(replace(ASKED, cpus=3), 1),) * 1000 + (Forecast(ASKED, 0),))
    assert region.row(region.slurm).centre_wait_s == 7_200


def test_a_scheduler_that_does_not_say_is_unknown():
    region = Region()
    region.ask()
    region.tell(7_200)
    region.tell(None)
    assert region.row(region.slurm).centre_wait_s is None
