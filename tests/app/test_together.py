"""What follows from ends that several servers hear of at the same moment: nothing is released twice, nobody
is forgotten. On PostgreSQL two transactions do not see each other's rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from baygrid.app import arrays, jobs, listings, projects, trading
from baygrid.app.problems import Invalid
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.contracts import UNIT_HOUR, Kind
from baygrid.ports.messages import Order
from baygrid.store import open_store
from tests.app.stage import HOUR, OPERATOR, Site, Stage

TURNS = 12


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stage(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/together.db"
    else:
        url = request.getfixturevalue("postgres_url")
    store = open_store(url)
    yield Stage(store, funds="100000 CNY")
    store.close()


def together(*works: Callable[[], object]) -> None:
    gate = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        gate.wait(timeout=60)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    if raised:
        raise raised[0]


def ends(stage: Stage, sites: list[Site], count: int) -> list[Callable[[], object]]:
    """The jobs that run now, each of them as the end that its own centre tells."""
    stage.schedule()
    stage.pass_time(20_000)
    found: list[Callable[[], object]] = [
        partial(_succeeds, site, order) for site in sites for order in site.desired().orders
    ]
    assert len(found) == count
    return found


def _succeeds(site: Site, order: Order) -> object:
    return site.report(site.says(order, AttemptState.SUCCEEDED, 10))


def _submit_after(stage: Stage, first: str, made: list[str]) -> None:
    made.extend(stage.submit({"after": [first]}))


def sites(stage: Stage, count: int) -> list[Site]:
    """Each has room for one job."""
    return [stage.add_site(f"centre-{n}", cpus=1) for n in range(count)]


def state(stage: Stage, id: str) -> JobState:
    return jobs.job(stage.platform, stage.team, id).job.state


def test_the_last_two_that_it_waits_for_end_at_once(stage: Stage):
    both = sites(stage, 2)
    for _ in range(TURNS):
        first, second = stage.submit({}, {})
        (last,) = stage.submit({"after": [first, second]})
        together(*ends(stage, both, 2))
        assert state(stage, last) is JobState.QUEUED
        jobs.cancel(stage.platform, stage.team, last)


def test_elements_that_end_at_once_let_as_many_begin(stage: Stage):
    all_sites = sites(stage, 3)
    (array,) = stage.submit({"array": {"range": "0-11", "parallel": 3}})
    (last,) = stage.submit({"after": [array]})
    for left in (9, 6, 3, 0):
        together(*ends(stage, all_sites, 3))
        view = arrays.array(stage.platform, stage.team, array)
        assert view.array.left == left
        assert view.states.get(JobState.QUEUED, 0) == min(left, 3)
    assert arrays.array(stage.platform, stage.team, array).state is JobState.SUCCEEDED
    assert state(stage, last) is JobState.QUEUED


@pytest.mark.parametrize("of_array", [False, True])
def test_who_is_submitted_while_the_other_ends_is_not_forgotten(stage: Stage, of_array: bool):
    one = sites(stage, 1)
    for _ in range(TURNS):
        (first,) = stage.submit({"array": {"range": "0-0"}} if of_array else {})
        (end,) = ends(stage, one, 1)
        made: list[str] = []
        together(end, partial(_submit_after, stage, first, made))
        assert state(stage, made[0]) is JobState.QUEUED
        jobs.cancel(stage.platform, stage.team, made[0])


def test_who_is_submitted_while_the_other_is_cancelled_is_refused_or_cancelled(stage: Stage):
    sites(stage, 1)
    for _ in range(TURNS):
        (first,) = stage.submit()
        made: list[str] = []

        def depend(first: str = first, made: list[str] = made) -> None:
            try:
                made.extend(stage.submit({"after": [first]}))
            except Invalid:
                made.append("")

        together(partial(jobs.cancel, stage.platform, stage.team, first), depend)
        assert made[0] == "" or state(stage, made[0]) is JobState.CANCELLED


def test_ends_on_one_commitment_add_up_and_leave_nothing_taken(stage: Stage):
    """A centre tells of eight ends while an operator gives up eight others: one commitment pays for all."""
    site = stage.add_site("hub", nodes=16)
    new = listings.New("hub-main", Kind.COMMITTED, 128, "0.3", None, stage.now + 48 * HOUR)
    listing = listings.publish(stage.platform, OPERATOR, new)
    wanted = trading.Order(listing.id, 128, 1000)
    trading.buy(stage.platform, stage.team, None, wanted, once=None, render=lambda row: row.id)
    stage.submit(*({"resources": {"cpus": 8}} for _ in range(16)))
    stage.schedule()
    stage.pass_time(20_000)
    orders = site.desired().orders
    assert len(orders) == 16
    told = [site.says(order, AttemptState.SUCCEEDED, 10) for order in orders[:8]]
    lost = [partial(jobs.declare_lost, stage.platform, OPERATOR, order.attempt) for order in orders[8:]]
    together(partial(site.report, *told), *lost)
    (row,) = trading.trades(stage.platform, stage.team, None)
    project = projects.project(stage.platform, OPERATOR, "demo")
    assert (row.taken, row.booked) == (0, 0)
    assert row.drawn == 8 * 8 * UNIT_HOUR * 10 // 3600
    assert project.charged == row.charged == 8 * (8 * 10 * 30 // 3600)
    assert project.held == row.amount - row.charged
