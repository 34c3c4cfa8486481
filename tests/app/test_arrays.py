"""Arrays: many jobs from one file, so many at once."""

from __future__ import annotations

import pytest

from baygrid.app import arrays, jobs, projects
from baygrid.app.allocations import Wanted
from baygrid.app.problems import Invalid, NotEnoughMoney, NotFound, WrongState
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.records import Held
from tests.app.stage import OPERATOR, Site, Stage

HELD, QUEUED, ACTIVE = JobState.HELD, JobState.QUEUED, JobState.ACTIVE


@pytest.fixture
def stage() -> Stage:
    return Stage(funds="10 CNY")


@pytest.fixture
def site(stage: Stage) -> Site:
    """A cpu for an hour is held for with 1.02 CNY."""
    return stage.add_site("qianhai")


def submit(stage: Stage, size: int, parallel: int, **more: object) -> str:
    (id,) = stage.submit({"array": {"range": f"0-{size - 1}", "parallel": parallel}, **more})
    return id


def states(stage: Stage, array: str) -> dict[JobState, int]:
    return dict(arrays.array(stage.platform, stage.team, array).states)


def orders(stage: Stage, site: Site) -> list[Order]:
    stage.schedule()
    stage.pass_time(20_000)
    return sorted(site.desired().orders, key=lambda order: order.job)


def held(stage: Stage) -> int:
    return projects.project(stage.platform, OPERATOR, "demo").held


def test_so_many_at_once_are_queued_and_hold_money(stage: Stage, site: Site):
    array = submit(stage, 20, 3)
    assert states(stage, array) == {QUEUED: 3, HELD: 17}
    assert held(stage) == 3 * 102
    found = orders(stage, site)
    assert [order.envs["BAYGRID_ARRAY_INDEX"] for order in found] == ["0", "1", "2"]
    assert {order.envs["BAYGRID_ARRAY_ID"] for order in found} == {array}
    assert {order.envs["BAYGRID_ARRAY_COUNT"] for order in found} == {"20"}
    site.report(*(site.says(order, AttemptState.SUCCEEDED, 10) for order in found[:2]))
    assert states(stage, array) == {JobState.SUCCEEDED: 2, ACTIVE: 1, QUEUED: 2, HELD: 15}
    assert [order.envs["BAYGRID_ARRAY_INDEX"] for order in orders(stage, site)] == ["2", "3", "4"]


def test_an_end_of_any_kind_lets_the_next_begin(stage: Stage, site: Site):
    array = submit(stage, 5, 1)
    (order,) = orders(stage, site)
    site.report(site.says(order, AttemptState.FAILED, 10))
    (order,) = orders(stage, site)
    jobs.declare_lost(stage.platform, OPERATOR, order.attempt)
    (waiting,) = stage.store.read(lambda tx: tx.jobs.queued(None, 9))
    jobs.cancel(stage.platform, stage.team, waiting.id)
    assert states(stage, array) == {JobState.FAILED: 2, JobState.CANCELLED: 1, QUEUED: 1, HELD: 1}
    assert arrays.array(stage.platform, stage.team, array).array.failed == 3


def test_a_preempted_element_keeps_its_turn(stage: Stage, site: Site):
    array = submit(stage, 3, 1)
    (order,) = orders(stage, site)
    stage.preempt(order.attempt)
    site.report(site.says(order, AttemptState.PREEMPTED, 10))
    assert states(stage, array) == {QUEUED: 1, HELD: 2}
    (again,) = orders(stage, site)
    assert again.job == order.job


def test_without_money_the_next_waits_for_some(stage: Stage, site: Site):
    stage.add_site("dear", cpu_hour="2")  # 2.04 CNY are held while it waits
    array = submit(stage, 6, 4)
    assert held(stage) == 4 * 204
    found = orders(stage, site)
    assert held(stage) == 4 * 102
    stage.submit({"budget": {"max_cost": "5.80 CNY"}})
    site.report(site.says(found[0], AttemptState.SUCCEEDED, 0))
    assert states(stage, array) == {JobState.SUCCEEDED: 1, ACTIVE: 3, HELD: 2}
    (short,) = stage.store.read(lambda tx: tx.jobs.held_in(array, Held.MONEY, 9))
    assert (short.index, short.hold, short.asked) == (4, 0, 204)
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(200, "CNY"), "more"))
    assert states(stage, array) == {JobState.SUCCEEDED: 1, ACTIVE: 3, QUEUED: 1, HELD: 1}


def test_cancelling_an_array_ends_all_of_it(stage: Stage, site: Site):
    array = submit(stage, 9, 3)
    found = orders(stage, site)
    site.report(site.says(found[0], AttemptState.SUCCEEDED, 10))
    view = arrays.cancel(stage.platform, stage.team, array)
    assert view.states == {JobState.SUCCEEDED: 1, ACTIVE: 2, JobState.CANCELLED: 6}
    assert {stop.attempt for stop in site.desired().stops} == {order.attempt for order in found[1:]}
    site.report(*(site.says(order, AttemptState.CANCELLED, 10) for order in found[1:]))
    view = arrays.array(stage.platform, stage.team, array)
    assert (view.state, view.array.left, held(stage)) == (JobState.CANCELLED, 0, 0)
    with pytest.raises(WrongState, match="already ended"):
        arrays.cancel(stage.platform, stage.team, array)


def test_an_array_needs_the_money_of_what_may_run_at_once(stage: Stage, site: Site):
    with pytest.raises(NotEnoughMoney, match=r"20 jobs need 20\.40 CNY .* fewer elements run in parallel"):
        submit(stage, 20, 20)
    assert held(stage) == 0
    submit(stage, 20, 9)


def test_elements_are_listed_and_others_are_not(stage: Stage, site: Site):
    array = submit(stage, 4, 1)
    (plain,) = stage.submit()

    def listed(array: str | None, limit: int = 9) -> list[tuple[str | None, int | None]]:
        views = jobs.page(
            stage.platform, stage.team, project=None, states=[], before=None, limit=limit, array=array
        )
        return [(view.job.array, view.job.index) for view in views]

    assert listed(array, 2) == [(array, 3), (array, 2)]
    assert listed("none") == [(None, None)]
    assert len(listed(None)) == 5
    views = arrays.page(stage.platform, stage.team, project=None, before=None, limit=9)
    assert [view.array.id for view in views] == [array]
    with pytest.raises(NotFound):
        arrays.array(stage.platform, stage.team, plain)


def test_an_array_of_ten_thousand_is_one_transaction(stage: Stage, site: Site):
    array = submit(stage, 10_000, 5)
    assert states(stage, array) == {QUEUED: 5, HELD: 9_995}
    with pytest.raises(Invalid, match="more than 10000 elements"):
        stage.submit({"array": {"range": "0-5999"}}, {"array": {"range": "0-5999"}})
    with pytest.raises(Invalid, match="too many elements for so long a job file"):
        submit(stage, 10_000, 5, run="true " * 3_000)
    assert arrays.cancel(stage.platform, stage.team, array).states == {JobState.CANCELLED: 10_000}
    assert held(stage) == 0
