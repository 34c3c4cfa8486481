"""Work of a job and ratings of centres meet: what `explain` tells, what is held, where it goes, until a
rating is too old."""

from __future__ import annotations

from typing import Any

import pytest

from baygrid.app import explain, jobs, ratings
from baygrid.core.rating.judging import FRESH_MS
from baygrid.core.rating.value import Plan
from baygrid.ports.messages import SignedRating
from baygrid.ports.wire import rating_bytes
from tests.app.stage import OPERATOR, Site, Stage
from tests.core.ratings import cpu_rating

WORK = {"work": {"images": 800_000}, "resources": {"cpus": 8}, "time": "10h"}
WHOLE = {"name": "job", "run": "true", "time": "1h", **WORK, "project": "demo"}


def rate(stage: Stage, site: Site, per_hour: float, **fields: Any) -> None:
    """One cpu of the site does so many images an hour."""
    given = {"partition": "main", "cpus": 1, "memory_mib": 1024, "seconds": 3600.0, "measured_at": stage.now}
    it = cpu_rating(site.name, **(given | {"units": per_hour} | fields))
    ratings.take(stage.platform, site.actor, site.name, SignedRating(it, site.key.sign(rating_bytes(it))))


def told(stage: Stage) -> dict[str, explain.Row]:
    found = explain.of_document(stage.platform, stage.team, WHOLE)
    return {row.name: row for row in found.rows}


def test_a_rating_says_what_the_work_comes_to(stage: Stage, site: Site):
    (row,) = told(stage).values()
    assert row.work is not None
    assert row.work["takes_s"] is None
    rate(stage, site, 100_000)
    (row,) = told(stage).values()
    assert row.work is not None
    assert (row.work["takes_s"], row.work["cost_minor"], row.work["price"]) == (4500, 10_00, 12.5)
    assert row.run_s == 4500
    assert row.cost is not None
    assert row.cost.minor == 80_00


def test_what_is_held_rests_on_the_time(stage: Stage, site: Site):
    rate(stage, site, 100_000)
    plain, working = stage.submit({"resources": {"cpus": 8}, "time": "10h"}, WORK)
    records = [jobs.job(stage.platform, stage.team, id).job for id in (plain, working)]
    assert records[0].hold == records[1].hold
    stage.schedule()
    assert jobs.job(stage.platform, stage.team, working).job.hold <= records[0].hold


@pytest.mark.parametrize(
    ("unlike", "cheapest"),
    [
        ({}, "hetao"),
        ({"profile": "images@2"}, "qianhai"),  # of another profile: nothing to compare by
        ({"unit": "km", "profile": "driving@1"}, "qianhai"),
    ],
)
def test_it_goes_where_its_work_is_cheapest(stage: Stage, site: Site, unlike: dict[str, Any], cheapest: str):
    hetao = stage.add_site("hetao", cpu_hour="2")
    rate(stage, site, 20_000)
    rate(stage, hetao, 200_000, **unlike)
    (id,) = stage.submit(WORK)
    stage.schedule()
    view = jobs.job(stage.platform, stage.team, id)
    assert view.attempts[-1].centre == cheapest
    outcome = view.attempts[-1].reasons["outcome"]
    assert "800,000 images are expected to take" in outcome["text"]


def test_a_rating_that_is_too_old_decides_nothing(stage: Stage, site: Site):
    rate(stage, site, 100_000)
    assert told(stage)["qianhai/main"].run_s == 4500
    stage.pass_time(FRESH_MS - 1)
    site.report()
    assert told(stage)["qianhai/main"].run_s == 4500
    stage.pass_time(1)
    site.report()
    assert told(stage)["qianhai/main"].run_s == 36_000


def test_a_newer_rating_takes_its_place_at_once(stage: Stage, site: Site):
    rate(stage, site, 100_000)
    assert told(stage)["qianhai/main"].run_s == 4500
    stage.pass_time(1000)
    rate(stage, site, 50_000)
    assert told(stage)["qianhai/main"].run_s == 9000


def test_what_is_planned_decides_nothing(stage: Stage, site: Site):
    ratings.plan(stage.platform, OPERATOR, Plan("qianhai", {"images": 1.6e9}, 5e17, "on completion"))
    assert told(stage)["qianhai/main"].run_s == 36_000
