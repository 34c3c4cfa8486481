"""Monthly budgets: alerts once a month, hard ones that hold jobs back, under concurrency too."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from baygrid.app import budgets, explain, jobs, projects, submit
from baygrid.app.allocations import AT_ONCE, Wanted
from baygrid.app.problems import Forbidden, Invalid, NotEnoughMoney, NotFound
from baygrid.app.releases import SHORT_AT_ONCE
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.records import Cursor, Event, JobRecord, Project
from baygrid.ports.store import Tx
from baygrid.store import open_store
from tests.app.stage import HOUR, OPERATOR, Site, Stage
from tests.app.test_together import together

WHOLE = {"resources": {"cpus": 8}}
HELD = 8_14
"""What a job of an hour on 8 cpus holds, with its grace and the kill wait."""


def set_budget(stage: Stage, minor: int, *, hard: bool = True, alerts: tuple[int, ...] = (50, 80)) -> Project:
    return budgets.set_budget(stage.platform, OPERATOR, "demo", Money(minor, "CNY"), hard=hard, alerts=alerts)


def record(stage: Stage, id: str) -> JobRecord:
    return jobs.job(stage.platform, stage.team, id).job


def demo(stage: Stage) -> Project:
    return projects.project(stage.platform, OPERATOR, "demo")


def told(stage: Stage, kind: str) -> list[Event]:
    events = stage.store.read(lambda tx: tx.events.after(Cursor(), 10_000))
    return [event for _, event in events if event.kind == kind]


def starts(stage: Stage, site: Site) -> Order:
    """The order of the job that is placed now."""
    stage.schedule()
    (order,) = site.desired().orders
    return order


def run(stage: Stage, site: Site, seconds: int) -> str:
    """One job that runs so long, from its submission to its charge."""
    (id,) = stage.submit(WHOLE)
    order = starts(stage, site)
    stage.pass_time(seconds * 1000)
    site.report(site.says(order, AttemptState.SUCCEEDED, seconds))
    return id


def add_budgets(stage: Stage, count: int) -> None:
    """Of projects that are before `demo` by name."""
    for number in range(count):
        name = f"a{number:03}"
        stage.add_project(name)
        budgets.set_budget(stage.platform, OPERATOR, name, Money(9_00, "CNY"), hard=True, alerts=())


def to_the_next_month(stage: Stage) -> None:
    stage.now = Month.of(stage.now).end


def test_what_a_job_of_an_hour_holds(stage: Stage, site: Site):
    stage.submit(WHOLE)
    assert demo(stage).held == HELD


def test_a_hard_budget_holds_back_what_would_pass_it(stage: Stage, site: Site):
    set_budget(stage, HELD + 2_00)
    first, second = stage.submit(WHOLE)[0], stage.submit(WHOLE)[0]
    job = record(stage, second)
    assert (record(stage, first).state, job.state, job.cause, job.hold) == (
        JobState.QUEUED, JobState.HELD, "money", 0,
    )  # fmt: skip
    month = Month.of(stage.now)
    assert f"the budget of project 'demo' for {month} is 10.14 CNY, of which 2.00 CNY is left" in job.detail
    assert "baygrid budgets set demo" in explain.of_job(stage.platform, stage.team, second).text
    (event,) = [e for e in told(stage, "job-submitted") if e.job == second]
    assert event.data["held_for"] == "money"
    order = starts(stage, site)
    stage.pass_time(HOUR)
    site.report(site.says(order, AttemptState.SUCCEEDED, 15 * 60))
    assert demo(stage).charged == 2_00
    job = record(stage, second)
    assert (job.state, job.cause, job.detail, job.hold) == (JobState.QUEUED, None, "", HELD)
    assert demo(stage).spent(stage.now).counted == HELD + 2_00


def test_with_a_new_month_who_waited_goes_on(stage: Stage, site: Site):
    set_budget(stage, 12_00)
    run(stage, site, 3600)
    (waits,) = stage.submit(WHOLE)
    assert record(stage, waits).state is JobState.HELD
    stage.schedule()
    assert record(stage, waits).state is JobState.HELD
    to_the_next_month(stage)
    site.report()
    stage.schedule()
    assert record(stage, waits).state is not JobState.HELD
    spent = demo(stage).spent(stage.now)
    assert (spent.month, spent.charged, spent.held) == (Month.of(stage.now), 0, demo(stage).held)


def test_with_a_new_month_many_budgets_are_tended_a_part_at_a_step(stage: Stage, site: Site):
    """A step is fenced with its own `now`: one that outlasts the lease loses it."""
    add_budgets(stage, AT_ONCE)
    set_budget(stage, 12_00)
    run(stage, site, 3600)
    (waits,) = stage.submit(WHOLE)
    to_the_next_month(stage)
    turned: dict[str, Month] = {}
    fenced = 0

    def fence(tx: Tx, now: int) -> None:
        nonlocal fenced
        fenced += 1

    seen = []
    for _ in range(3):
        more = budgets.tend(stage.platform, fence, turned, stage.now)
        seen.append((more, fenced, record(stage, waits).state))
    assert seen == [
        (True, AT_ONCE, JobState.HELD),
        (False, AT_ONCE + 1, JobState.QUEUED),
        (False, AT_ONCE + 1, JobState.QUEUED),
    ]


def test_the_leader_goes_on_with_budgets_in_its_next_step(stage: Stage, site: Site):
    add_budgets(stage, AT_ONCE)
    set_budget(stage, 12_00)
    run(stage, site, 3600)
    stage.schedule()
    (waits,) = stage.submit(WHOLE)
    to_the_next_month(stage)
    site.report()
    seen = []
    for _ in range(2):
        stage.schedule()
        stage.pass_time(1_000)
        seen.append(record(stage, waits).state is JobState.HELD)
    assert seen == [True, False]


def test_a_month_turns_with_the_first_that_moves_money_in_it(stage: Stage, site: Site):
    """No leader has looked yet."""
    set_budget(stage, 12_00)
    run(stage, site, 3600)
    to_the_next_month(stage)
    (job,) = stage.submit(WHOLE)
    assert record(stage, job).state is JobState.QUEUED
    assert demo(stage).spent(stage.now).charged == 0


def test_a_larger_budget_or_none_lets_go_on_who_waited(stage: Stage, site: Site):
    set_budget(stage, 9_00)
    waits = [stage.submit(WHOLE)[0] for _ in range(4)]
    assert [record(stage, id).state for id in waits] == [JobState.QUEUED] + [JobState.HELD] * 3
    set_budget(stage, 2 * HELD)
    assert [record(stage, id).state for id in waits] == [JobState.QUEUED] * 2 + [JobState.HELD] * 2
    set_budget(stage, 2 * HELD, hard=False)
    assert {record(stage, id).state for id in waits} == {JobState.QUEUED}
    set_budget(stage, 1)
    assert demo(stage).held == 4 * HELD
    with pytest.raises(NotEnoughMoney, match=r"of which 0\.00 CNY is left"):
        stage.submit(WHOLE)
    budgets.remove_budget(stage.platform, OPERATOR, "demo")
    assert record(stage, stage.submit(WHOLE)[0]).state is JobState.QUEUED


def test_a_small_job_goes_on_behind_many_that_are_too_large(stage: Stage, site: Site):
    """More than are let go on at once, and two small ones for which it suffices only once."""
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(1000_00, "CNY"), "more"))
    set_budget(stage, HELD + 10)
    small = {"resources": {"cpus": 1}}
    ids = stage.submit(*[WHOLE] * (SHORT_AT_ONCE + 51), small, small, WHOLE)
    assert [record(stage, id).state for id in ids[:2]] == [JobState.QUEUED, JobState.HELD]
    assert [record(stage, id).state for id in ids[-3:]] == [JobState.HELD] * 3
    set_budget(stage, HELD + 1_50)
    assert [record(stage, id).state for id in ids[-3:]] == [JobState.QUEUED, JobState.HELD, JobState.HELD]
    assert [record(stage, id).state for id in ids[1:-3]] == [JobState.HELD] * (SHORT_AT_ONCE + 50)


def test_what_the_large_ones_leave_goes_to_a_small_one(stage: Stage, site: Site):
    """Each of a hundred fits alone, and all but one not any more when it was taken."""
    set_budget(stage, HELD + 10)
    ids = stage.submit(*[WHOLE] * (SHORT_AT_ONCE + 1), {"resources": {"cpus": 1}})
    set_budget(stage, 2 * HELD + 1_50)
    states = [record(stage, id).state for id in ids]
    assert states == [JobState.QUEUED] * 2 + [JobState.HELD] * (SHORT_AT_ONCE - 1) + [JobState.QUEUED]


def test_who_set_and_removed_it_is_told(stage: Stage):
    set_budget(stage, 9_00)
    budgets.remove_budget(stage.platform, OPERATOR, "demo")
    (made,), (removed,) = told(stage, "budget-set"), told(stage, "budget-removed")
    assert made.data == {"minor": 9_00, "hard": True, "alerts": [50, 80], "by": OPERATOR.token_id}
    assert removed.data == {"by": OPERATOR.token_id}


def test_a_job_that_no_month_can_hold_is_refused(stage: Stage, site: Site):
    set_budget(stage, HELD - 1)
    with pytest.raises(NotEnoughMoney, match=r"the budget of project 'demo' .* this needs 8.14 CNY"):
        stage.submit(WHOLE)
    assert demo(stage).held == 0


def test_a_job_that_waits_for_others_needs_its_money_at_once(stage: Stage, site: Site):
    set_budget(stage, HELD + 1)
    (first,) = stage.submit(WHOLE)
    with pytest.raises(NotEnoughMoney, match="the budget of project 'demo'"):
        stage.submit({**WHOLE, "after": [first]})
    assert demo(stage).held == HELD


def test_of_an_array_as_many_start_as_the_budget_has_room_for(stage: Stage, site: Site):
    set_budget(stage, 2 * HELD)
    stage.submit({**WHOLE, "array": {"range": "0-9", "parallel": 4}})
    states = stage.store.read(lambda tx: tx.jobs.count_by_state())
    assert (states[JobState.QUEUED], states[JobState.HELD]) == (2, 8)
    assert demo(stage).held == 2 * HELD
    order = starts(stage, site)
    stage.pass_time(HOUR)
    site.report(site.says(order, AttemptState.SUCCEEDED, 1))
    assert demo(stage).spent(stage.now).counted <= 2 * HELD


def test_without_the_money_a_budget_changes_nothing(stage: Stage, site: Site):
    set_budget(stage, 10_000_00)
    with pytest.raises(NotEnoughMoney, match=r"has 1000\.00 CNY free: ask for less time"):
        stage.submit({"resources": {"cpus": 8}, "time": "200h"})


def test_a_job_that_goes_back_to_the_queue_waits_for_the_budget(stage: Stage, site: Site):
    set_budget(stage, HELD + 1_00)
    (job,) = stage.submit({**WHOLE, "retry": {"on": ["error"], "max": 3}})
    order = starts(stage, site)
    stage.pass_time(HOUR)
    site.report(site.says(order, AttemptState.FAILED, 1800))
    found = record(stage, job)
    assert (found.state, found.cause, demo(stage).charged) == (JobState.HELD, "money", 4_00)
    assert "of which 5.14 CNY is left" in found.detail
    (event,) = told(stage, "job-held")
    assert event.data["why"] == found.detail


def test_an_alert_is_told_once_a_month_and_threshold(stage: Stage, site: Site):
    set_budget(stage, 16_00, hard=False, alerts=(50, 80, 100))
    seen = []
    for _ in range(5):
        run(stage, site, 1800)
        stage.pass_time(10_000)
        stage.schedule()
        seen.append([event.data["percent"] for event in told(stage, "budget-alert")])
    assert seen == [[], [50], [50], [50, 100], [50, 100]]
    last = told(stage, "budget-alert")[-1]
    assert (last.project, last.data["charged"], last.data["budget"]) == ("demo", 16_00, 16_00)
    to_the_next_month(stage)
    site.report()
    run(stage, site, 3000)
    stage.pass_time(10_000)
    stage.schedule()
    assert len(told(stage, "budget-alert")) == 2
    run(stage, site, 3000)
    stage.pass_time(10_000)
    stage.schedule()
    assert [event.data["percent"] for event in told(stage, "budget-alert")] == [50, 100, 80]
    assert told(stage, "budget-alert")[-1].data["month"] == str(Month.of(stage.now))


def test_what_was_charged_before_it_was_set_counts(stage: Stage, site: Site):
    run(stage, site, 1800)
    stage.store.write(lambda tx: tx.region.set_budget("demo", None, Month(2000, 1), 0, 0))
    row = set_budget(stage, 8_00)
    assert (row.spent(stage.now).charged, row.alerted) == (4_00, 0)
    stage.pass_time(10_000)
    stage.schedule()
    assert [event.data["percent"] for event in told(stage, "budget-alert")] == [50]
    assert set_budget(stage, 8_00, hard=False).alerted == 50
    assert set_budget(stage, 9_00).alerted == 0


def test_people_are_told_as_they_submit(stage: Stage, site: Site):
    def submitted() -> str:
        document = {"name": "job", "run": "true", "time": "1h", **WHOLE}
        return submit.submit(
            stage.platform, stage.team, [document], project=None, once=None, render=str
        ).notice

    assert submitted() == ""
    set_budget(stage, 30_00, hard=False, alerts=(50,))
    month = Month.of(stage.now)
    assert submitted() == f"budget of demo for {month}: 16.28 CNY of 30.00 CNY is charged or held (54%)"


def test_who_sees_and_sets_budgets(stage: Stage):
    rival = stage.add_project("other")
    row = set_budget(stage, 10_00)
    assert budgets.budgets(stage.platform, stage.team) == [row]
    assert budgets.budgets(stage.platform, OPERATOR) == [row]
    assert budgets.budgets(stage.platform, rival) == []
    with pytest.raises(NotFound):
        budgets.budgets(stage.platform, rival, "demo")
    for refused in (
        partial(
            budgets.set_budget, stage.platform, stage.team, "demo", Money(1, "CNY"), hard=True, alerts=()
        ),
        partial(budgets.remove_budget, stage.platform, stage.team, "demo"),
    ):
        with pytest.raises(Forbidden):
            refused()


@pytest.mark.parametrize(
    ("amount", "alerts", "said"),
    [
        (Money(5, "HKD"), (), "amount: project 'demo' is kept in CNY, not HKD"),
        (Money(0, "CNY"), (), "amount: a budget is more than nothing"),
        (Money(2**62 + 1, "CNY"), (), "amount: is more than a ledger can hold"),
        (Money(5, "CNY"), (80, 50), "alerts: alerts grow"),
    ],
)
def test_a_budget_that_makes_no_sense(stage: Stage, amount: Money, alerts: tuple[int, ...], said: str):
    with pytest.raises(Invalid, match=said):
        budgets.set_budget(stage.platform, OPERATOR, "demo", amount, hard=False, alerts=alerts)
    assert demo(stage).budget is None
    for project in ("demo", "nobodys"):
        with pytest.raises(NotFound):
            budgets.remove_budget(stage.platform, OPERATOR, project)


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_sixteen_clients_never_pass_a_hard_budget(url: str, request: pytest.FixtureRequest, tmp_path: Path):
    """They submit 64 jobs while a leader turns the month and lets go on whom it can."""
    where = f"sqlite:///{tmp_path}/a.db" if url == "sqlite" else request.getfixturevalue("postgres_url")
    stage = Stage(open_store(where), funds="100000 CNY")
    stage.add_site("qianhai")
    set_budget(stage, 10 * HELD + 5)
    made: list[str] = []

    def client() -> None:
        for _ in range(4):
            made.extend(stage.submit(WHOLE))

    def leader() -> None:
        for _ in range(8):
            budgets.tend(stage.platform, lambda tx, now: None, {}, stage.now)

    together(*[client] * 16, leader)
    assert len(made) == 64
    states = [record(stage, id).state for id in made]
    assert (states.count(JobState.QUEUED), states.count(JobState.HELD)) == (10, 54)
    assert demo(stage).held == 10 * HELD
    stage.store.close()
