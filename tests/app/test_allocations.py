"""Allocations: begun and ended by the leader in their own time, never below what jobs hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from baygrid.app import allocations, projects
from baygrid.app.allocations import MOST, Standing, Wanted
from baygrid.app.problems import Invalid
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.accounts import BANK, GRANTS, project_account
from baygrid.core.pricing.allocations import DAY_MS, Source
from baygrid.core.units import Money
from baygrid.ports.records import Cursor, Event, Project
from baygrid.store import open_store
from tests.app.stage import HOUR, OPERATOR, START, Site, Stage
from tests.app.test_together import together

DAY = DAY_MS


def grant(stage: Stage, minor: int, **period: int | None) -> str:
    """A new allocation of the project; its id."""
    projects.grant(stage.platform, OPERATOR, "demo", Wanted(Money(minor, "CNY"), "training", **period))  # type: ignore[arg-type]
    return stage.store.read(lambda tx: tx.accounts.allocations("demo"))[-1].allocation.id


def standing(stage: Stage, id: str) -> Standing:
    found = allocations.allocations(stage.platform, OPERATOR, "demo")
    return next(it for it in found if it.row.allocation.id == id)


def demo(stage: Stage) -> Project:
    return projects.project(stage.platform, OPERATOR, "demo")


def told(stage: Stage, kind: str) -> list[Event]:
    events = stage.store.read(lambda tx: tx.events.after(Cursor(), 10_000))
    return [event for _, event in events if event.kind == kind]


def check_books(stage: Stage) -> None:
    """What was granted is what the allocations that have begun kept, and the ledger says so, too."""
    project = demo(stage)
    rows = stage.store.read(lambda tx: tx.accounts.allocations("demo"))
    assert project.granted == sum(row.allocation.kept for row in rows if row.begun)
    balances = stage.store.read(lambda tx: tx.money.balances())
    credit = sum(r.allocation.kept for r in rows if r.begun and r.allocation.source is Source.CREDIT)
    assert -balances.get((project_account("demo"), "CNY"), 0) == project.granted - project.charged - credit
    assert sum(balances.values()) == 0
    used = sum(it.used for it in allocations.allocations(stage.platform, OPERATOR, "demo"))
    assert used == project.charged


def test_the_first_grant_is_an_allocation_without_end():
    stage = Stage()
    (only,) = allocations.allocations(stage.platform, stage.team)
    it = only.row.allocation
    assert (it.amount, it.source, it.start, it.end) == (Money(1000_00, "CNY"), Source.GRANT, START, None)
    assert (only.row.begun, only.row.due, only.row.made_by, only.used) == (True, None, "tok-operator", 0)
    check_books(stage)


def test_what_begins_later_can_be_spent_from_then_on():
    stage = Stage(funds="1 CNY")
    id = grant(stage, 50_00, start=START + DAY, end=START + 2 * DAY)
    assert demo(stage).granted == 1_00
    stage.schedule()
    assert demo(stage).granted == 1_00
    stage.pass_time(DAY)
    stage.schedule()
    assert demo(stage).granted == 51_00
    stage.pass_time(10_000)
    stage.schedule()
    assert (demo(stage).granted, standing(stage, id).row.begun) == (51_00, True)
    assert len(told(stage, "allocation-begun")) == 2
    check_books(stage)


def test_a_job_that_lacks_money_goes_on_when_an_allocation_begins(stage: Stage, site: Site):
    """It asks for more than is there when it is tried again."""
    (job,) = stage.submit({"resources": {"cpus": 8}, "retry": {"on": ["error"], "max": 1}})
    stage.schedule()
    free = demo(stage).free
    stage.store.write(lambda tx: tx.money.move("demo", granted=-free))
    stage.pass_time(30 * 60_000)
    (order,) = site.desired().orders
    site.report(site.says(order, AttemptState.FAILED, 1800))
    assert stage.store.read(lambda tx: tx.jobs.get([job]))[job].cause == "money"
    grant(stage, 100_00, start=stage.now + HOUR)
    stage.pass_time(2 * HOUR)
    site.report()
    stage.schedule()
    assert stage.store.read(lambda tx: tx.jobs.get([job]))[job].state is not JobState.HELD


def test_what_nobody_used_goes_back_once():
    stage = Stage(funds="5 CNY")
    id = grant(stage, 50_00, end=START + 3 * DAY)
    assert demo(stage).granted == 55_00
    stage.pass_time(3 * DAY - 1)
    stage.schedule()
    assert demo(stage).granted == 55_00
    stage.pass_time(10_000)
    for _ in range(3):
        stage.schedule()
        stage.pass_time(120_000)
    assert demo(stage).granted == 5_00
    (row,) = (it.row for it in [standing(stage, id)])
    assert (row.allocation.returned, row.returns, row.due) == (50_00, 1, None)
    keys = [it.key for it in stage.store.read(lambda tx: tx.money.transactions(None, 100))]
    assert keys[-1] == f"allocation-end:{id}:0"
    assert [event.data["minor"] for event in told(stage, "allocation-returned")] == [50_00]
    check_books(stage)


def test_what_a_running_job_holds_goes_back_after_it():
    stage = Stage(funds="0.01 CNY")
    site = stage.add_site("qianhai")
    id = grant(stage, 20_00, end=START + HOUR)
    stage.submit({"resources": {"cpus": 8}, "time": "2h"})
    stage.schedule()
    held = demo(stage).held
    assert 16_00 < held < 20_00
    stage.pass_time(HOUR + 10_000)
    site.report()
    stage.schedule()
    assert (demo(stage).granted, demo(stage).free) == (held, 0)
    (order,) = site.desired().orders
    site.report(site.says(order, AttemptState.SUCCEEDED, 1800))
    assert demo(stage).charged == 4_00
    assert demo(stage).free == held - 4_00
    stage.pass_time(70_000)
    stage.schedule()
    assert (demo(stage).granted, demo(stage).free) == (4_00, 0)
    row = standing(stage, id).row
    assert (row.allocation.returned, row.returns, row.due) == (16_01, 2, None)
    check_books(stage)


def test_charges_draw_what_ends_soonest_and_the_rest_of_it_goes_back(stage: Stage, site: Site):
    soon = grant(stage, 10_00, end=START + DAY)
    stage.submit({"resources": {"cpus": 8}})
    stage.schedule()
    (order,) = site.desired().orders
    stage.pass_time(HOUR)
    site.report(site.says(order, AttemptState.SUCCEEDED, 1800))
    assert standing(stage, soon).used == 4_00
    stage.pass_time(DAY)
    stage.schedule()
    assert demo(stage).granted == 1004_00
    assert standing(stage, soon).row.allocation.returned == 6_00
    check_books(stage)


def test_a_warning_30_and_7_days_before_the_end_once_each():
    stage = Stage()
    id = grant(stage, 10_00, end=START + 40 * DAY)
    short = grant(stage, 10_00, end=START + 5 * DAY)
    seen: list[tuple[int, str, int]] = []
    for day in range(45):
        stage.schedule()
        seen += [
            (day, e.data["allocation"], e.data["days"]) for e in told(stage, "allocation-ends")[len(seen) :]
        ]
        stage.pass_time(DAY)
    assert seen == [(10, id, 30), (33, id, 7)]
    assert standing(stage, id).row.warned == 7
    assert standing(stage, short).row.warned is None


def test_of_two_warnings_that_were_missed_only_the_later_is_told():
    stage = Stage()
    grant(stage, 10_00, end=START + 40 * DAY)
    stage.pass_time(35 * DAY)
    stage.schedule()
    stage.pass_time(DAY)
    stage.schedule()
    assert [event.data["days"] for event in told(stage, "allocation-ends")] == [7]


def test_credit_and_payments_in_the_ledger():
    stage = Stage(funds="1 CNY")
    for source in (Source.CREDIT, Source.PAYMENT):
        wanted = Wanted(Money(10_00, "CNY"), "", source, end=START + DAY)
        projects.grant(stage.platform, OPERATOR, "demo", wanted)
    balances = stage.store.read(lambda tx: tx.money.balances())
    assert balances == {(GRANTS, "CNY"): 1_00, (BANK, "CNY"): 10_00, (project_account("demo"), "CNY"): -11_00}
    assert demo(stage).free == 21_00
    check_books(stage)
    stage.pass_time(2 * DAY)
    stage.schedule()
    assert demo(stage).free == 1_00
    check_books(stage)


@pytest.mark.parametrize("start", [None, START + DAY])
def test_more_than_a_ledger_can_hold_is_refused_and_as_much_as_it_can_is_not(start: int | None):
    stage = Stage(funds="0.01 CNY")
    for minor in (2**61, 2**63):
        with pytest.raises(Invalid, match="is more than a ledger can hold"):
            grant(stage, minor, start=start)
    grant(stage, 2**61 - 1, start=start)
    stage.pass_time(2 * DAY)
    stage.schedule()
    assert demo(stage).granted == 2**61
    check_books(stage)


def test_a_server_that_leads_no_more_returns_nothing():
    stage = Stage()
    grant(stage, 10_00, end=START + DAY)
    stage.schedule()
    stage.pass_time(2 * DAY)
    stage.store.write(lambda tx: tx.leadership.campaign("server-2", stage.now, 4_000))
    stage.scheduler.step(stage.now)
    assert demo(stage).granted == 1010_00


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_sixteen_who_end_it_at_once_return_it_once(url: str, request: pytest.FixtureRequest, tmp_path: Path):
    """As if each believed that it leads; beside them jobs take holds, and what these hold stays."""
    where = f"sqlite:///{tmp_path}/a.db" if url == "sqlite" else request.getfixturevalue("postgres_url")
    stage = Stage(open_store(where), funds="10 CNY")
    ids = [grant(stage, 50_00, end=START + DAY + n) for n in range(4)]
    stage.pass_time(2 * DAY)

    def end() -> object:
        return allocations.tend(stage.platform, lambda tx, now: None, stage.now)

    taken: list[bool] = []

    def hold() -> None:
        taken.extend(stage.store.write(lambda tx: tx.money.move("demo", held=15_00)) for _ in range(4))

    together(*[end] * 16, *[hold] * 4)
    held = 15_00 * sum(taken)
    assert demo(stage).held == held
    stage.pass_time(120_000)
    end()
    assert demo(stage).granted == max(10_00, held)
    kept = {id: standing(stage, id).row.allocation.kept for id in ids}
    assert sum(kept.values()) == max(0, held - 10_00)
    check_books(stage)
    stage.store.close()


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_many_allocations_at_once_are_not_more_than_a_ledger_holds(
    url: str, request: pytest.FixtureRequest, tmp_path: Path
):
    """They begin later, so that nothing but their sum stands against them."""
    where = f"sqlite:///{tmp_path}/a.db" if url == "sqlite" else request.getfixturevalue("postgres_url")
    stage = Stage(open_store(where), funds="10 CNY")
    refused: list[Invalid] = []

    def quarter() -> None:
        try:
            grant(stage, MOST // 4, start=START + DAY)
        except Invalid as error:
            refused.append(error)

    together(*[quarter] * 12)
    rows = stage.store.read(lambda tx: tx.accounts.allocations("demo"))
    assert (len(rows), len(refused)) == (1 + 3, 9)
    stage.store.close()
