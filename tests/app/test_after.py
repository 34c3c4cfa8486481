"""Jobs that wait until others have succeeded."""

from __future__ import annotations

import pytest

from baygrid.app import arrays, explain, jobs, projects
from baygrid.app.access import Actor
from baygrid.app.problems import Invalid, WrongState
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.units import Money
from baygrid.ports.records import JobRecord, Role
from tests.app.stage import OPERATOR, Site, Stage


def job(stage: Stage, id: str) -> JobRecord:
    return jobs.job(stage.platform, stage.team, id).job


def end(stage: Stage, site: Site, id: str, state: AttemptState = AttemptState.SUCCEEDED) -> None:
    stage.schedule()
    stage.pass_time(20_000)
    (order,) = [order for order in site.desired().orders if order.job == id]
    site.report(site.says(order, state, 10))


def held(stage: Stage) -> int:
    return projects.project(stage.platform, OPERATOR, "demo").held


def test_it_is_held_with_its_money_until_all_have_succeeded(stage: Stage, site: Site):
    first, second = stage.submit({}, {})
    (last,) = stage.submit({"after": [first, second]})
    assert (job(stage, last).state, job(stage, last).cause) == (JobState.HELD, "after")
    assert held(stage) == 3 * job(stage, last).hold
    end(stage, site, first)
    assert (job(stage, last).state, job(stage, last).waits_for) == (JobState.HELD, (second,))
    end(stage, site, second)
    assert (job(stage, last).state, job(stage, last).waits_for) == (JobState.QUEUED, ())
    assert job(stage, last).hold == held(stage)
    end(stage, site, last)
    assert job(stage, last).state is JobState.SUCCEEDED


@pytest.mark.parametrize("state", [AttemptState.FAILED, AttemptState.CANCELLED])
def test_who_waits_for_what_did_not_succeed_is_cancelled_and_so_on(stage, site, state):
    (first,) = stage.submit()
    (second,) = stage.submit({"after": [first]})
    third, other = stage.submit({"after": [second]}, {})
    if state is AttemptState.CANCELLED:
        jobs.cancel(stage.platform, stage.team, first)
    else:
        end(stage, site, first, state)
    for id, failed in ((second, first), (third, second)):
        row = job(stage, id)
        assert (row.state, row.cause, row.hold) == (JobState.CANCELLED, "dependency", 0)
        assert row.detail == f"{failed} did not succeed"
    assert not job(stage, other).state.final
    assert held(stage) == job(stage, other).hold


def test_what_is_tried_again_has_not_ended(stage: Stage, site: Site):
    (first,) = stage.submit({"retry": {"max": 1}})
    (second,) = stage.submit({"after": [first]})
    end(stage, site, first, AttemptState.FAILED)
    assert job(stage, second).state is JobState.HELD
    stage.pass_time(10_000)
    site.report()
    end(stage, site, first)
    assert job(stage, second).state is JobState.QUEUED


def test_what_has_succeeded_already_is_not_waited_for(stage: Stage, site: Site):
    (first,) = stage.submit()
    end(stage, site, first)
    (second,) = stage.submit({"after": [first]})
    assert job(stage, second).state is JobState.QUEUED
    assert job(stage, second).spec["after"] == [first]


def test_after_names_jobs_of_the_project_that_can_succeed(stage: Stage, site: Site):
    projects.add_project(stage.platform, OPERATOR, "rival", "acme", "CNY", Money.parse("9 CNY"))
    (failed, cancelled) = stage.submit({}, {})
    jobs.cancel(stage.platform, stage.team, cancelled)
    end(stage, site, failed, AttemptState.FAILED)
    demo, stage.team = stage.team, Actor("tok-rival", Role.TEAM, "rival", project="rival")
    (theirs,) = stage.submit()
    stage.team = demo
    with pytest.raises(Invalid) as refused:
        stage.submit({"after": [failed, cancelled, theirs, "job-none"]})
    told = {problem["path"]: problem["message"] for problem in refused.value.extra["problems"]}
    assert told == {
        "after[0]": f"{failed} is FAILED: it will never succeed",
        "after[1]": f"{cancelled} is CANCELLED: it will never succeed",
        "after[2]": f"there is no job or array '{theirs}' in project 'demo'",
        "after[3]": "there is no job or array 'job-none' in project 'demo'",
    }


def test_a_held_job_can_be_cancelled(stage: Stage, site: Site):
    (first,) = stage.submit()
    (second,) = stage.submit({"after": [first]})
    assert jobs.cancel(stage.platform, stage.team, second).job.state is JobState.CANCELLED
    end(stage, site, first)
    assert job(stage, second).state is JobState.CANCELLED
    assert held(stage) == 0


def test_an_array_waits_as_a_whole_and_is_waited_for_as_a_whole(stage: Stage, site: Site):
    (first,) = stage.submit()
    (array,) = stage.submit({"after": [first], "array": {"range": "1-3", "parallel": 2}})
    (last,) = stage.submit({"after": [array]})
    assert arrays.array(stage.platform, stage.team, array).states == {JobState.HELD: 3}
    end(stage, site, first)
    assert arrays.array(stage.platform, stage.team, array).states == {JobState.QUEUED: 2, JobState.HELD: 1}
    elements = stage.store.read(lambda tx: tx.jobs.open_in(array))
    for element in elements:
        assert job(stage, last).state is JobState.HELD
        end(stage, site, element.id)
    assert arrays.array(stage.platform, stage.team, array).state is JobState.SUCCEEDED
    assert job(stage, last).state is JobState.QUEUED


def test_an_array_whose_predecessor_failed_is_cancelled_whole(stage: Stage, site: Site):
    (first,) = stage.submit()
    (array,) = stage.submit({"after": [first], "array": {"range": "0-9", "parallel": 2}})
    (last,) = stage.submit({"after": [array]})
    end(stage, site, first, AttemptState.FAILED)
    view = arrays.array(stage.platform, stage.team, array)
    assert (view.state, view.states) == (JobState.CANCELLED, {JobState.CANCELLED: 10})
    assert (job(stage, last).state, job(stage, last).cause) == (JobState.CANCELLED, "dependency")
    assert held(stage) == 0


def test_an_array_with_one_failed_element_has_not_succeeded(stage: Stage, site: Site):
    (array,) = stage.submit({"array": {"range": "0-1"}})
    (last,) = stage.submit({"after": [array]})
    one, other = stage.store.read(lambda tx: tx.jobs.open_in(array))
    end(stage, site, one.id, AttemptState.FAILED)
    assert job(stage, last).state is JobState.HELD, "others may still want to run"
    end(stage, site, other.id)
    assert job(stage, last).state is JobState.CANCELLED
    with pytest.raises(Invalid, match="have failed"):
        stage.submit({"after": [array]})


def test_an_array_is_explained_by_its_first_element_that_is_to_start(stage: Stage, site: Site):
    (first,) = stage.submit({})
    (array,) = stage.submit({"after": [first], "array": {"range": "0-2", "parallel": 1}})
    assert explain.of_job(stage.platform, stage.team, array).text == f"held until {first} has succeeded"
    elements = stage.store.read(lambda tx: tx.jobs.open_in(array))
    end(stage, site, first)
    found = explain.of_job(stage.platform, stage.team, array)
    assert (found.subject, found.outcome) == (elements[0].id, explain.Outcome.WOULD_PLACE)
    arrays.cancel(stage.platform, stage.team, array)
    with pytest.raises(WrongState, match="all elements of array"):
        explain.of_job(stage.platform, stage.team, array)


def test_a_file_that_comes_after_others_is_explained_as_it_would_be_taken(stage: Stage, site: Site):
    (first,) = stage.submit({})
    asked = {"name": "job", "run": "true", "time": "1h", "after": [first]}
    assert explain.of_document(stage.platform, stage.team, asked).text.endswith(
        f"; first {first} must succeed"
    )
    with pytest.raises(Invalid, match="no job or array 'job-none'"):
        explain.of_document(stage.platform, stage.team, asked | {"after": ["job-none"]})
