"""The forecast of a project: what it counts and what not."""

from __future__ import annotations

from functools import partial

import pytest

from baygrid.app import forecast
from baygrid.app.problems import Forbidden, NotFound
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from tests.app.stage import HOUR, Site, Stage

WHOLE = {"resources": {"cpus": 8}}
HELD = 8_14


def test_what_was_charged_what_runs_and_what_waits(stage: Stage, site: Site):
    stage.submit(WHOLE, WHOLE, WHOLE)
    stage.schedule()
    (order,) = site.desired().orders
    stage.pass_time(HOUR)
    site.report(site.says(order, AttemptState.SUCCEEDED, 1800))
    stage.schedule()
    (order,) = site.desired().orders
    stage.pass_time(HOUR // 4)
    site.report(site.says(order, AttemptState.RUNNING, 600))
    stage.pass_time(HOUR // 4)
    seen = forecast.outlook(stage.platform, stage.team, "demo")
    found = seen.forecast
    assert (found.attempts, found.charged, found.last_days) == (1, Money(4_00, "CNY"), Money(4_00, "CNY"))
    # Ten minutes and a quarter of an hour of 8 cpus.
    assert (found.running.minor, found.running.minor + found.still.minor) == (3_33, HELD)
    assert (found.at_most.minor, seen.waiting) == (4_00 + HELD, HELD)
    days_left = (Month.of(stage.now).end - stage.now) / 86_400_000
    assert found.expected.minor == pytest.approx(4_00 + 4_00 / 7 * days_left, abs=1)


def test_a_new_month_begins_at_nothing_and_expects_as_before(stage: Stage, site: Site):
    stage.submit(WHOLE)
    stage.schedule()
    (order,) = site.desired().orders
    stage.now = Month.of(stage.now).end - HOUR
    site.report(site.says(order, AttemptState.SUCCEEDED, 1800))
    stage.pass_time(HOUR)
    found = forecast.outlook(stage.platform, stage.team, "demo").forecast
    assert (found.month, found.charged.minor, found.last_days.minor) == (Month.of(stage.now), 0, 4_00)
    days = (found.month.end - found.month.start) // 86_400_000
    assert found.expected == Money.of(found.last_days.amount * days / 7, "CNY")


def test_only_who_may_read_the_project_sees_it(stage: Stage, site: Site):
    rival = stage.add_project("other")
    for actor, name, problem in (
        (rival, "demo", NotFound),
        (stage.team, "nobodys", NotFound),
        (site.actor, "demo", Forbidden),
    ):
        with pytest.raises(problem):
            partial(forecast.outlook, stage.platform)(actor, name)
