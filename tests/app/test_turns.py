"""Whose turn it is, on the real store: what a project had counts against it, also on a new server."""

from __future__ import annotations

import hashlib

import pytest

from baygrid.app import blobs, explain, policies
from baygrid.app.platform import Platform
from baygrid.app.scheduler import Scheduler
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.demand import Expected
from baygrid.core.units import Money
from tests.app.stage import OPERATOR, Site, Stage

WHOLE = {"resources": {"cpus": 8}}


def run_one(stage: Stage, site: Site, seconds: int = 1800) -> str:
    """The job that was placed, run to its end."""
    stage.schedule()
    stage.pass_time(seconds * 1000)
    (order,) = (o for o in site.desired().orders if o.state is AttemptState.PLACED)
    site.report(site.says(order, AttemptState.SUCCEEDED, seconds))
    return order.project


def begin_anew(stage: Stage) -> None:
    """Another server, that knows only what the store knows."""
    stage.scheduler.resign()
    old = stage.platform
    stage.platform = Platform(
        old.store, old.objects, old.uploads, old.clock, old.ids, type(old.catalogue)(), old.drivers
    )
    stage.scheduler = Scheduler(stage.platform, "server-2")


@pytest.mark.parametrize("restart", [False, True])
def test_who_had_less_comes_first(stage: Stage, site: Site, restart: bool):
    other = stage.add_project("other")
    stage.submit(WHOLE)
    assert run_one(stage, site) == "demo"
    if restart:
        begin_anew(stage)
    stage.submit(WHOLE, WHOLE)
    stage.submit(WHOLE, actor=other)
    assert [run_one(stage, site) for _ in range(3)] == ["other", "demo", "demo"]


def test_what_is_long_ago_counts_for_little(stage: Stage, site: Site):
    other = stage.add_project("other")
    stage.submit(WHOLE)
    run_one(stage, site, 3500)
    stage.pass_time(30 * 24 * 3600 * 1000)
    site.report()
    stage.submit(WHOLE, actor=other)
    assert run_one(stage, site, 600) == "other"
    stage.submit(WHOLE, actor=other)
    stage.submit(WHOLE)
    assert run_one(stage, site) == "demo"


@pytest.mark.parametrize("restart", [False, True])
def test_what_ran_tells_how_long_the_like_of_it_will_run(stage: Stage, site: Site, restart: bool):
    for _ in range(9):
        stage.submit(WHOLE)
        run_one(stage, site, 600)
    if restart:
        begin_anew(stage)
    stage.submit(WHOLE)
    (job,) = stage.submit(WHOLE)
    stage.schedule()
    waiting = stage.platform.follower.region.backlog.get(job)
    assert waiting.expected == Expected(600, 600, 600)
    (other,) = stage.submit({**WHOLE, "time": "30m"}, actor=stage.add_project("other"))
    stage.schedule()
    (elsewhere,) = (d for d in stage.platform.follower.region.backlog if d.job == other)
    assert elsewhere.expected is not None, "the widest likeness is that of all jobs"
    assert elsewhere.expected.p50 == 300


def used(stage: Stage) -> list[float]:
    shares = stage.platform.follower.catch_up(stage.now).shares
    return [shares.usage(("acme", name), stage.now) for name in ("demo", "other")]


def test_a_new_server_gives_turns_as_the_old_one_did(stage: Stage, site: Site):
    """Also for what ran for many half-lives."""
    policies.set_policy(stage.platform, OPERATOR, {"half_life": "1h"}, None)
    stage.submit({**WHOLE, "time": "2d"})
    run_one(stage, site, 48 * 3600)
    stage.submit({**WHOLE, "time": "30m"}, actor=stage.add_project("other"))
    run_one(stage, site, 1800)
    before = used(stage)
    begin_anew(stage)
    assert used(stage) == pytest.approx(before)


def test_a_centre_that_stays_silent_is_no_news(stage: Stage, site: Site):
    stage.submit({**WHOLE, "time": "1h"}, {**WHOLE, "time": "1h"})
    stage.schedule()
    known = stage.platform.follower.region
    stage.pass_time(60_000)
    known = stage.platform.follower.catch_up(stage.now)
    known.has_news(stage.now)
    stage.pass_time(1_000)
    stage.platform.follower.catch_up(stage.now)
    assert not known.has_news(stage.now)
    site.report()
    stage.platform.follower.catch_up(stage.now)
    assert known.has_news(stage.now)


def test_a_job_that_is_imagined_is_never_taken_for_one_that_waits(stage: Stage, site: Site):
    stage.submit(WHOLE)
    (waiting,) = stage.submit({**WHOLE, "time": "2h"})
    stage.schedule()
    (row,) = explain.of_document(
        stage.platform, stage.team, {"name": waiting, "run": "true", "time": "1h", **WHOLE}
    ).rows
    assert row.cost == Money.parse("8 CNY")


def test_a_place_that_came_later_and_costs_more_than_was_held_is_told_so(stage: Stage, site: Site):
    """A job without a budget: what it holds is what the dearest place cost when it was submitted."""
    stage.submit(WHOLE)
    (waiting,) = stage.submit({**WHOLE, "name": "waiting"})
    stage.add_site("dear", cpu_hour="9")
    stage.schedule()
    told = {row.name: row.reasons for row in explain.of_job(stage.platform, stage.team, waiting).rows}
    (reason,) = told["dear/main"]
    assert reason["code"] == "over-budget"
    assert "was held for it when prices or centres were others: cancel it and submit" in reason["text"]
    (row,) = [r for r in explain.of_document(
        stage.platform, stage.team, {"name": "anew", "run": "true", "time": "1h", **WHOLE}
    ).rows if r.name == "dear/main"]  # fmt: skip
    assert row.verdict == "chosen"


def test_what_a_job_brings_takes_time_over_a_slow_link(stage: Stage, site: Site):
    """100 MB at 8 Mbit/s, counted in steps of 16 MiB."""
    content = bytes(100_000_000)
    digest = hashlib.sha256(content).hexdigest()
    blobs.put(stage.platform, stage.team, digest, 0, len(content), iter([content]))
    declared = {"qianhai": {"link": {"mbit_s": 8, "gib_price": "1"}}}
    policies.set_policy(stage.platform, OPERATOR, {"centres": declared}, None)
    (without, bringing) = stage.submit(WHOLE, {**WHOLE, "workdir": f"blob:{digest}"})
    (row,) = explain.of_job(stage.platform, stage.team, without).rows
    assert row.transfer_s == 0
    (row,) = explain.of_job(stage.platform, stage.team, bringing).rows
    assert row.transfer_s == pytest.approx(101, abs=1)
