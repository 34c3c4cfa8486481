"""What a centre says is judged item by item: what cannot be true is refused, everything else is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import centres, jobs, projects
from baygrid.app.problems import Impossible
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import AttemptReport, DriverReport, Order, SignedUsage
from baygrid.ports.records import CentreRecord
from baygrid.ports.wire import usage_bytes
from tests.app.stage import OPERATOR, Site, Stage


def placed(stage: Stage, site: Site, count: int = 2) -> list[Order]:
    stage.submit(*({"name": f"job-{n}"} for n in range(count)))
    stage.schedule()
    stage.pass_time(120_000)
    return list(site.desired().orders)


def forged(site: Site, good: AttemptReport, **change: object) -> AttemptReport:
    usage = replace(good.usage[0].usage, **change)  # type: ignore[arg-type]
    return replace(good, usage=(SignedUsage(usage, site.key.sign(usage_bytes(usage))),))


def test_what_a_centre_can_do_is_taken_as_far_as_it_is_understood(stage, site):
    def told() -> CentreRecord:
        return centres.centre(stage.platform, OPERATOR, site.name)

    assert (told().version, told().capabilities) == ("", None)
    site.driver = DriverReport("slurm", "22.05.8", ("gang", "telepathy"))
    site.report()
    assert (told().driver, told().version, told().capabilities) == ("slurm", "22.05.8", frozenset({"gang"}))
    site.driver = DriverReport("slurm", "2\x1b[31m", ("gang", "image"))
    site.report()
    assert (told().version, told().capabilities) == ("", frozenset({"gang", "image"}))
    site.driver = DriverReport("\x1b[31m", "1", ())
    site.report()
    assert told().driver == "slurm"
    stage.submit({"name": "boxed", "image": "docker:python:3.11"})
    stage.schedule()
    assert [order.image for order in site.desired().orders] == ["docker:python:3.11"]
    site.driver = DriverReport("slurm", "22.05.8", ())
    site.report()
    with pytest.raises(Impossible, match="image: null"):
        stage.submit({"name": "boxed", "image": "docker:python:3.12"})


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": 1000},
        {"cpus": 64},
        {"memory_mib": 1 << 20},
        {"accelerator": "H100", "accelerators": 8},
        {"accelerators": -1},
        {"start": 0},
        {"end": 1 << 50},
        {"cpu_seconds": -1.0},
        {"n": -1},
        {"attempt": "att-other"},
    ],
    ids=str,
)
def test_usage_that_cannot_be_is_refused_and_the_rest_is_taken(stage, site, change):
    lie, truth = placed(stage, site)
    answer = site.report(
        forged(site, site.says(lie, AttemptState.SUCCEEDED), **change),
        site.says(truth, AttemptState.SUCCEEDED),
    )
    assert [attempt for attempt, _ in answer.refused] == [lie.attempt]
    assert list(answer.closed) == [truth.attempt]
    assert jobs.job(stage.platform, stage.team, lie.job).job.state is JobState.ACTIVE
    assert jobs.job(stage.platform, stage.team, truth.job).job.state is JobState.SUCCEEDED
    view = jobs.job(stage.platform, stage.team, lie.job)
    assert (view.charged, view.overrun) == (0, 0)


def test_a_signature_by_another_key_is_refused(stage, site):
    (order,) = placed(stage, site, 1)
    other = Site(stage, "qianhai", site.nodes)
    answer = site.report(other.says(order, AttemptState.SUCCEEDED))
    assert "not signed" in dict(answer.refused)[order.attempt]


def test_an_agent_cannot_say_lost_nor_speak_twice_of_one_attempt(stage, site):
    first, second = placed(stage, site)
    running = site.says(second, AttemptState.RUNNING)
    answer = site.report(replace(running, attempt=first.attempt, state=AttemptState.LOST), running, running)
    assert set(dict(answer.refused)) == {first.attempt, second.attempt}


def test_records_that_overlap_are_refused(stage, site):
    (order,) = placed(stage, site, 1)
    says = site.says(order, AttemptState.SUCCEEDED)
    again = site.usage(order, stage.now - 30_000, stage.now, n=1)
    answer = site.report(replace(says, usage=(*says.usage, again)))
    assert dict(answer.refused)[order.attempt] == "its usage records overlap"


def test_what_was_refused_may_come_again_and_right(stage, site):
    (order,) = placed(stage, site, 1)
    good = site.says(order, AttemptState.SUCCEEDED)
    site.report(forged(site, good, nodes=1000))
    assert list(site.report(good).closed) == [order.attempt]
    assert projects.project(stage.platform, OPERATOR, "demo").held == 0
