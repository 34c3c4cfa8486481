"""What ran at a centre without Baygrid: kept once, judged like usage, shown beside what Baygrid had there,
and never charged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import outside, projects
from baygrid.app.outside import Use
from baygrid.app.problems import Forbidden, NotFound
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import Outside
from tests.app.stage import HOUR, OPERATOR, START, Site, Stage

JOB = Outside("17", "chen", "gpu", START - 2 * HOUR, START - HOUR, 2, 16, 65_536, {"H100": 8})


def used(stage: Stage) -> list[Use]:
    return outside.usage(stage.platform, OPERATOR, "qianhai", 0, stage.now + 1)


def test_it_is_kept_once_whatever_is_repeated(stage: Stage, site: Site):
    for _ in range(3):
        answer = site.report(outside=(site.saw(JOB), site.saw(replace(JOB, id="18", account="li"))))
        assert (answer.outside_taken, answer.refused) == (True, ())
    assert used(stage) == [Use("chen", False, 1, 16.0, 8.0), Use("li", False, 1, 16.0, 8.0)]
    assert projects.project(stage.platform, OPERATOR, "demo").charged == 0


def test_a_report_without_any_says_nothing_of_it(stage: Stage, site: Site):
    assert not site.report().outside_taken


def test_it_stands_beside_what_baygrid_had_there(stage: Stage, site: Site):
    stage.submit({"resources": {"cpus": 4}}, {"resources": {"cpus": 4}})
    stage.schedule()
    stage.pass_time(HOUR)
    site.report(*(site.says(order, AttemptState.SUCCEEDED, 1800) for order in site.desired().orders))
    site.report(outside=(site.saw(JOB),))
    assert used(stage) == [Use("demo", True, 2, 4.0, 0.0), Use("chen", False, 1, 16.0, 8.0)]


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": "7" * 300},
        {"account": "\x1b[31m"},
        {"start": START},
        {"start": 0},
        {"end": START + HOUR},
        {"nodes": 0},
        {"nodes": 1 << 40},
        {"cpus": -1},
        {"cpus": 1 << 62},
        {"memory_mib": -5},
        {"memory_mib": 1 << 70},
        {"accelerators": {"H100": -1}},
        {"accelerators": {"H100": 1 << 50}},
        {"accelerators": {f"M{n}": 1 for n in range(99)}},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_the_rest_is_kept(stage: Stage, site: Site, change: dict[str, object]):
    lie = replace(JOB, **{"id": "99", **change})  # type: ignore[arg-type]
    answer = site.report(outside=(site.saw(lie), site.saw(JOB)))
    assert [name for name, _ in answer.refused] == [f"outside {lie.id[:100]!r}"]
    assert answer.outside_taken
    assert [(use.account, use.jobs) for use in used(stage)] == [("chen", 1)]


def test_what_another_key_has_signed_is_refused(stage: Stage, site: Site):
    other = Site(stage, "qianhai", site.nodes)
    ((name, why),) = site.report(outside=(other.saw(JOB),)).refused
    assert (name, why) == ("outside '17'", "it is not signed by the key of this report")
    assert used(stage) == []


def test_a_flood_is_cut_off(stage: Stage, site: Site):
    flood = tuple(site.saw(replace(JOB, id=str(n))) for n in range(3)) * 400
    answer = site.report(outside=flood)
    assert dict(answer.refused) == {"outside": "more than 1000 jobs in one report"}
    assert sum(use.jobs for use in used(stage)) == 3


def test_only_an_operator_sees_it(stage: Stage, site: Site):
    for actor in (stage.team, site.actor):
        with pytest.raises(Forbidden):
            outside.usage(stage.platform, actor, "qianhai", 0, 1)
    with pytest.raises(NotFound):
        outside.usage(stage.platform, OPERATOR, "nowhere", 0, 1)
