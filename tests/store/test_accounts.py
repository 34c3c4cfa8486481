"""Allocations and applications in the store, and what a database of before becomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.accounts import GRANTS, project_account, receivable_account, trading_account
from baygrid.core.pricing.allocations import Source
from baygrid.core.pricing.applications import ApplicationState
from baygrid.core.pricing.budgets import Budget, Spent
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.postings import Posting
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow
from baygrid.ports.store import Conflict, Exists, Store
from baygrid.store import open_store, schema
from tests.store.records import allocation, application, booking, charge, job, organise, step


def write(store: Store, what: str, row: object) -> None:
    store.write(lambda tx: getattr(tx.accounts, what)(row))


def test_allocations_come_back_as_they_were(store: Store):
    store.write(organise)
    rows = [
        allocation("a-2", purpose="a \N{SNOWMAN}"),
        replace(allocation("a-1", end=None, source=Source.CREDIT), due=None, warned=7, application="app-1"),
        allocation("a-3", project="other", amount=Money(2**60, "HKD"), returned=2**59),
    ]
    for row in rows:
        write(store, "insert_allocation", row)
    assert store.read(lambda tx: tx.accounts.allocations("demo")) == [rows[1], rows[0]]
    assert store.read(lambda tx: tx.accounts.allocations()) == [rows[1], rows[0], rows[2]]
    assert store.read(lambda tx: tx.accounts.due_allocations(1999, 9)) == []
    assert store.read(lambda tx: tx.accounts.due_allocations(2000, 9)) == [rows[0], rows[2]]
    assert store.read(lambda tx: tx.accounts.due_allocations(2000, 1)) == [rows[0]]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.accounts.insert_allocation(rows[0]))


READ = allocation()


@pytest.mark.parametrize(
    "other",
    [
        replace(READ, due=2500),
        replace(READ, begun=False),
        replace(READ, allocation=replace(READ.allocation, returned=5)),
    ],
)
def test_an_allocation_is_changed_only_from_what_was_read(store: Store, other: AllocationRow):
    store.write(organise)
    row = READ
    store.write(lambda tx: tx.accounts.insert_allocation(row))
    after = replace(row, allocation=replace(row.allocation, returned=40), returns=1, due=3000, warned=30)
    assert not store.write(lambda tx: tx.accounts.change_allocation(other, after))
    assert store.write(lambda tx: tx.accounts.change_allocation(row, after))
    assert not store.write(lambda tx: tx.accounts.change_allocation(row, after))
    assert store.read(lambda tx: tx.accounts.allocations("demo")) == [after]


def test_no_allocation_returns_more_than_there_was(store: Store):
    store.write(organise)
    row = allocation()
    store.write(lambda tx: tx.accounts.insert_allocation(row))
    more = replace(row, allocation=replace(allocation(amount=Money(200, "CNY")).allocation, returned=101))
    with pytest.raises(Exception, match="allocations_returned"):
        store.write(lambda tx: tx.accounts.change_allocation(row, more))


def test_what_was_spent_between_moments(store: Store):
    """Charges of jobs, and whatever else a project paid or got back; nothing of others, and no grant."""
    store.write(organise)
    account = project_account("demo")

    def others(minor: int, at: int, number: int, key: str, other: str = GRANTS) -> None:
        money = Money(minor, "CNY")
        row = booking(number, at=at, key=key, postings=(Posting(account, money), Posting(other, -money)))
        store.write(lambda tx: tx.money.post([row]))

    charges = [(100, 7), (199, 5), (200, 11), (350, 2**50)]
    rows = [charge(n=n, at=at, amount=minor) for n, (at, minor) in enumerate(charges)]
    store.write(lambda tx: tx.money.insert_charges([*rows, charge(n=9, at=150, project="other")]))
    store.write(lambda tx: tx.money.post([booking(n, key=f"charge:att-1:{n}", at=150) for n in range(4)]))
    others(1000, 150, 10, "trade:1", trading_account("north"))
    others(-2000, 200, 11, "trade:2", trading_account("north"))
    others(-77, 150, 12, "grant:txn-1")
    others(-78, 150, 13, "allocation-start:a-1")
    others(79, 150, 14, "allocation-end:a-1:0")
    others(-80, 150, 15, "invoice:2026-11-0001", receivable_account("demo"))
    spent = store.read(lambda tx: tx.accounts.spending("demo", [0, 100, 200, 300]))
    assert spent == [(0, 0), (100, 1012), (200, 11 - 2000), (300, 2**50)]
    assert store.read(lambda tx: tx.accounts.spending("demo", [])) == []


def test_applications_and_their_steps(store: Store):
    store.write(organise)
    rows = [application(f"app-{n}", renews="a-1" if n else None) for n in range(3)]
    other = application("app-9", project="other", currency="HKD")
    for row in (*rows, other):
        write(store, "insert_application", row)
    with pytest.raises(Exists):
        store.write(lambda tx: tx.accounts.insert_application(other))
    assert store.read(lambda tx: tx.accounts.applications(None, None, 2)) == [other, rows[2]]
    assert store.read(lambda tx: tx.accounts.applications("demo", "app-2", 9)) == [rows[1], rows[0]]
    assert store.read(lambda tx: tx.accounts.application("nobody")) is None
    reviewed = replace(rows[0], state=ApplicationState.REVIEWED, recommended=90)
    store.write(lambda tx: tx.accounts.update_application(reviewed))
    assert store.read(lambda tx: tx.accounts.application("app-0")) == replace(reviewed, version=1)

    def late(tx):
        with pytest.raises(Conflict):
            tx.accounts.update_application(reviewed)

    store.write(late)
    for n in (1, 0):
        write(store, "insert_step", step(n, "app-0"))
    assert store.read(lambda tx: tx.accounts.steps("app-0")) == [step(0, "app-0"), step(1, "app-0")]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.accounts.insert_step(step(1, "app-0")))


@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_what_was_granted_before_becomes_one_allocation_without_end(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
):
    new = request.getfixturevalue("new_database") if database == "postgresql" else None
    url = new() if new else f"sqlite:///{tmp_path}/a.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        schema.migrate(connection, "0023")
        connection.execute(text("INSERT INTO organisations (name, kind, title) VALUES ('o', 'company', 'O')"))
        for name, granted in (("rich", 2**61), ("poor", 0)):
            connection.execute(
                text(
                    "INSERT INTO projects (name, organisation, currency, granted, held, charged)"
                    " VALUES (:name, 'o', 'HKD', :granted, :held, 0)"
                ),
                {"name": name, "granted": granted, "held": min(granted, 3)},
            )
    engine.dispose()
    store = open_store(url)
    (row,) = store.read(lambda tx: tx.accounts.allocations())
    it = row.allocation
    assert (it.project, it.amount, it.start, it.end) == ("rich", Money(2**61, "HKD"), 0, None)
    assert (it.source, row.begun, row.due, row.returns, it.returned) == (Source.GRANT, True, None, 0, 0)
    assert store.read(lambda tx: tx.region.projects())["rich"].held == 3
    store.close()


def test_a_hard_budget_counts_what_is_charged_in_the_month_and_held(store: Store):
    store.write(organise)
    november = Month(2026, 11)
    at, later = november.start, november.end

    def move(at: int, **amounts: int) -> bool:
        return store.write(lambda tx: tx.money.move("demo", at=at, **amounts))

    assert move(at, held=50)
    assert move(at, held=-50, charged=40)
    store.write(
        lambda tx: tx.region.set_budget("demo", Budget(Money(100, "CNY"), True, (50,)), november, 40, 0)
    )
    assert not move(at, held=61)
    assert not move(at, charged=61)
    assert not move(at, held=50, charged=11)
    assert move(at, held=60)
    assert move(at, held=-60, charged=60)  # within what is held: it never grows
    assert not move(at, held=1)
    assert move(at, held=0)
    assert not store.write(lambda tx: tx.money.move("demo", held=1))  # of no month in particular: the last
    assert store.write(lambda tx: tx.region.alert("demo", november, 50))
    assert not store.write(lambda tx: tx.region.alert("demo", november, 50))
    assert not store.write(lambda tx: tx.region.alert("demo", november.next, 80))
    assert move(later - 1, granted=5)
    assert not move(later - 1, held=1)
    assert move(later, held=100)
    assert not move(later, held=1)
    assert not move(at, held=1)  # a server whose clock is behind does not bring November back
    (row,) = store.read(lambda tx: tx.region.projects_with_budget())
    assert (row.spent(later), row.alerted) == (Spent(november.next, 0, 100), 0)
    assert row.spent(later + 40 * 86_400_000) == Spent(Month(2027, 1), 0, 100)
    store.write(lambda tx: tx.region.set_budget("demo", replace_hard(row.budget), november.next, 0, 0))
    assert move(later, held=1)


def test_who_lacks_money_is_found_by_what_there_is(store: Store):
    """Free are 100; a hard budget leaves 60 of this month, and 100 of the next."""
    store.write(organise)
    november = Month(2026, 11)
    rows = [
        job(number, state=JobState.HELD, cause="money", asked=asked)
        for number, asked in enumerate([101, 100, 61, 60, 1])
    ]
    store.write(lambda tx: tx.jobs.insert([*rows, job(9, state=JobState.HELD, cause="after", asked=1)]))
    (row,) = store.read(lambda tx: tx.region.projects(["demo"])).values()
    store.write(lambda tx: tx.money.move("demo", at=november.start, granted=140 - row.free, charged=40))

    def found(at: int, limit: int = 9) -> list[int]:
        return [it.asked for it in store.read(lambda tx: tx.jobs.short_of_money("demo", at, limit))]

    def set_budget(hard: bool) -> None:
        budget = Budget(Money(100, "CNY"), hard, ())
        store.write(lambda tx: tx.region.set_budget("demo", budget, november, 40, 0))

    assert found(november.start) == [100, 61, 60, 1]
    set_budget(hard=False)
    assert found(november.start, 2) == [100, 61]
    set_budget(hard=True)
    assert found(november.start) == [60, 1]
    assert found(november.end) == [100, 61, 60, 1]
    store.write(lambda tx: tx.money.move("demo", at=november.start, held=60))
    assert found(november.start) == []


def replace_hard(budget: Budget | None) -> Budget:
    assert budget is not None
    return replace(budget, hard=False)


def test_a_project_without_a_budget_has_none(store: Store):
    store.write(organise)
    assert store.read(lambda tx: tx.region.projects_with_budget()) == []
    assert store.write(lambda tx: tx.money.move("demo", at=Month(2026, 11).start, held=10**9))
