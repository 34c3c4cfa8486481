"""Allocations: made by an operator, begun, warned of and ended by the leader, in its own time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from baygrid.app.access import Actor, whose
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.app.releases import settle
from baygrid.core.pricing.allocations import (
    Allocation,
    Source,
    drawn,
    netted,
    next_look,
    returnable,
    warning,
)
from baygrid.core.pricing.postings import Transaction, allocation_postings
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, Project
from baygrid.ports.store import Tx

MOST: Final = 2**61
"""Minor units of all allocations of a project together: what the store moves at once."""
AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """An allocation that is to be made. `start` None, or past: now."""

    amount: Money
    purpose: str
    source: Source = Source.GRANT
    start: Instant | None = None
    end: Instant | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """`used`: minor units of it that charges have drawn."""

    row: AllocationRow
    used: int


def allot(
    platform: Platform, tx: Tx, project: Project, wanted: Wanted, by: str, now: Instant
) -> AllocationRow:
    """Makes an allocation of a project that is there; jobs that waited for money may go on. What was charged
    before stays with the allocations of its time, so none begins in the past.

    Raises Invalid for nothing, for less than nothing, another currency than the project's, a period that is
    over.
    """
    tx.money.lock(project.name)  # before the sum is read: two at once could pass its limit
    _check(tx, project, wanted, now)
    start = max(wanted.start or now, now)
    it = Allocation(
        platform.ids.new("allocation", now),
        project.name,
        wanted.source,
        wanted.amount,
        start,
        wanted.end,
        wanted.purpose,
    )
    due = next_look(it, now, settled=False)
    row = AllocationRow(it, now, by, False, due, application=wanted.application)
    data = {
        "allocation": it.id,
        "minor": it.amount.minor,
        "source": it.source.value,
        "start": it.start,
        "end": it.end,
    }
    tx.events.append([Event(now, "allocation-made", project.name, data=data)])
    if start > now:
        tx.accounts.insert_allocation(row)
        return row
    row = replace(row, begun=True)
    tx.accounts.insert_allocation(row)
    _begin(platform, tx, it, now)
    return row


def _check(tx: Tx, project: Project, wanted: Wanted, now: Instant) -> None:
    amount, name = wanted.amount, project.name
    if amount.minor <= 0:
        raise Invalid.at("amount", f"must be more than zero, not {amount}")
    if amount.currency != project.currency:
        raise Invalid.at("amount", f"project {name!r} is kept in {project.currency}, not {amount.currency}")
    if sum(row.allocation.kept for row in tx.accounts.allocations(name)) + amount.minor > MOST:
        raise Invalid.at("amount", "is more than a ledger can hold")
    if wanted.end is not None and wanted.end <= max(wanted.start or now, now):
        raise Invalid.at("to", "must be after now, and after the beginning: nothing could be spent")


def allocations(platform: Platform, actor: Actor, project: str | None = None) -> list[Standing]:
    """An operator sees those of all projects, a team its own. Raises NotFound."""
    project = whose(actor, project)

    def load(tx: Tx) -> list[Standing]:
        owners = tx.region.projects(None if project is None else [project])
        if project is not None and not owners:
            raise NotFound(f"there is no project {project!r}")
        found: list[Standing] = []
        for name in sorted(owners):
            rows = tx.accounts.allocations(name)
            used = spent_of(tx, name, [row.allocation for row in rows if row.begun])
            found += [Standing(row, used.get(row.allocation.id, 0)) for row in rows]
        return found

    return platform.store.read(load)


def spent_of(tx: Tx, project: str, begun: Sequence[Allocation]) -> dict[str, int]:
    """How much of each of a project's allocations that have begun was used. Between two moments at which one
    begins or ends, sums of charges do as well as the charges."""
    if not begun:
        return {}
    bounds = {0} | {it.start for it in begun} | {it.end for it in begun if it.end is not None}
    return drawn(begun, netted(tx.accounts.spending(project, sorted(bounds))))


def tend(platform: Platform, fence: Callable[[Tx, Instant], None], now: Instant) -> bool:
    """A bounded step of the leader: whatever is due of allocations, each in its own transaction. `fence`
    raises unless it still leads. Returns whether more may be due."""
    due = platform.store.read(lambda tx: tx.accounts.due_allocations(now, AT_ONCE))

    for row in due:

        def apply(tx: Tx, row: AllocationRow = row) -> None:
            fence(tx, now)
            _tend(platform, tx, row, now)

        platform.store.write(apply)
    return len(due) == AT_ONCE


def _tend(platform: Platform, tx: Tx, row: AllocationRow, now: Instant) -> None:
    """Begins, warns of or ends one; nothing where it is not as `row` says any more."""
    it = row.allocation
    tx.money.lock(it.project)
    begins = not row.begun and it.start <= now
    days = warning(it, row.warned, now)
    back, settled = _returns(tx, it, now) if row.begun and it.ended(now) else (0, False)
    after = replace(
        row,
        allocation=replace(it, returned=it.returned + back),
        begun=row.begun or begins,
        warned=row.warned if days is None else days,
        returns=row.returns + (back > 0),
        due=next_look(it, now, settled=settled),
    )
    if not tx.accounts.change_allocation(row, after):
        return
    if begins:
        _begin(platform, tx, it, now)
    if days is not None:
        data = {"allocation": it.id, "days": days, "end": it.end}
        tx.events.append([Event(now, "allocation-ends", it.project, data=data)])
    if back:
        _return(platform, tx, row, back, now)


def _begin(platform: Platform, tx: Tx, it: Allocation, now: Instant) -> None:
    if not tx.money.move(it.project, granted=it.amount.minor):
        raise AssertionError(f"allocation {it.id} does not fit, though all of its project do together")
    _post(platform, tx, it, it.amount, f"allocation-start:{it.id}", it.purpose or it.source.value, now)
    tx.events.append([Event(now, "allocation-begun", it.project, data={"allocation": it.id})])
    settle(tx, (), [it.project], now)


def _returns(tx: Tx, it: Allocation, now: Instant) -> tuple[int, bool]:
    """What goes back of one that has ended, and whether nothing is left of it then."""
    project = tx.region.projects([it.project])[it.project]
    begun = [row.allocation for row in tx.accounts.allocations(it.project) if row.begun]
    used = spent_of(tx, it.project, begun)[it.id]
    back = returnable(it, used, project.free, now)
    return back, it.kept - back <= used


def _return(platform: Platform, tx: Tx, row: AllocationRow, back: int, now: Instant) -> None:
    it = row.allocation
    if not tx.money.move(it.project, granted=-back):
        raise AssertionError(f"{it.project!r} was locked, and has less than {back} free")
    key = f"allocation-end:{it.id}:{row.returns}"
    money = Money(-back, it.amount.currency)
    _post(platform, tx, it, money, key, f"end of allocation {it.id}: {it.purpose}", now)
    data = {"allocation": it.id, "minor": back}
    tx.events.append([Event(now, "allocation-returned", it.project, data=data)])


def _post(
    platform: Platform, tx: Tx, it: Allocation, money: Money, key: str, narration: str, now: Instant
) -> None:
    postings = allocation_postings(it.project, it.source, money)
    if postings:
        id = platform.ids.new("txn", now)
        tx.money.post([Transaction(id, key, now, narration, postings, (f"allocation:{it.id}",))])
