"""Monthly budgets: set by operators, told of as they are used, and never passed where they are hard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from baygrid.app.access import Action, Actor, permit, whose
from baygrid.app.allocations import AT_ONCE, MOST
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.app.projects import find_project
from baygrid.app.releases import settle
from baygrid.core.pricing.budgets import Budget
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, Project
from baygrid.ports.store import Tx


def set_budget(
    platform: Platform, actor: Actor, project: str, amount: Money, *, hard: bool, alerts: Sequence[int]
) -> Project:
    """For this month and all that follow; what was charged in this one counts. Raises Invalid, NotFound."""
    permit(actor, Action.OPERATE)
    try:
        budget = Budget(amount, hard, tuple(alerts))
    except ValueError as error:
        raise Invalid.at("alerts" if "alerts" in str(error) else "amount", str(error)) from None
    return _change(platform, actor, project, budget)


def remove_budget(platform: Platform, actor: Actor, project: str) -> None:
    """Raises NotFound, also where there is none."""
    permit(actor, Action.OPERATE)
    _change(platform, actor, project, None)


def _change(platform: Platform, actor: Actor, name: str, budget: Budget | None) -> Project:
    now = platform.clock()
    month = Month.of(now)

    def apply(tx: Tx) -> Project:
        _check(find_project(tx, name), budget)
        tx.money.lock(name)
        row = find_project(tx, name)
        ((_, charged), _) = tx.accounts.spending(name, [month.start, month.end])
        same = budget is not None and row.budget is not None and budget.amount == row.budget.amount
        tx.region.set_budget(name, budget, month, charged, row.alerted if same else 0)
        data = {"minor": budget.amount.minor, "hard": budget.hard, "alerts": budget.alerts} if budget else {}
        kind = "budget-set" if budget else "budget-removed"
        tx.events.append([Event(now, kind, name, data={**data, "by": actor.token_id})])
        settle(tx, (), [name], now)
        return find_project(tx, name)

    return platform.store.write(apply)


def _check(row: Project, budget: Budget | None) -> None:
    if budget is None:
        if row.budget is None:
            raise NotFound(f"project {row.name!r} has no budget")
    elif budget.amount.currency != row.currency:
        wrong = budget.amount.currency
        raise Invalid.at("amount", f"project {row.name!r} is kept in {row.currency}, not {wrong}")
    elif budget.amount.minor > MOST:
        raise Invalid.at("amount", "is more than a ledger can hold")


def budgets(platform: Platform, actor: Actor, project: str | None = None) -> list[Project]:
    """Those that have one: of an operator all, of a team its own. Raises NotFound."""
    of = whose(actor, project)
    if of is None:
        return platform.store.read(lambda tx: tx.region.projects_with_budget())
    row = platform.store.read(lambda tx: find_project(tx, of))
    return [row] if row.budget is not None else []


def tend(
    platform: Platform, fence: Callable[[Tx, Instant], None], turned: dict[str, Month], now: Instant
) -> bool:
    """A bounded step of the leader, so that its lease outlasts it: tells alerts, and with a new month lets
    jobs go on that waited for it. `turned`: by project the month that this was last done for; what is done
    now is written there. `fence` raises unless it still leads. Returns whether more may be due."""
    month = Month.of(now)
    due = list(_due(platform, turned, month, now))
    for row, percent in due[:AT_ONCE]:

        def apply(tx: Tx, row: Project = row, percent: int | None = percent) -> None:
            fence(tx, now)
            if turned.get(row.name) != month:
                tx.money.lock(row.name)
                settle(tx, (), [row.name], now)
            if percent is not None and tx.region.alert(row.name, month, percent):
                tx.events.append([_alert(row, month, percent, now)])

        platform.store.write(apply)
        turned[row.name] = month
    return len(due) > AT_ONCE


def _due(
    platform: Platform, turned: Mapping[str, Month], month: Month, now: Instant
) -> Iterator[tuple[Project, int | None]]:
    """With the largest of its alerts that is reached."""
    for row in platform.store.read(lambda tx: tx.region.projects_with_budget()):
        percent = row.budget.reached(row.spent(now).charged) if row.budget is not None else None
        if turned.get(row.name) != month or (percent is not None and percent > row.alerted):
            yield row, percent


def _alert(row: Project, month: Month, percent: int, now: Instant) -> Event:
    assert row.budget is not None
    data = {
        "month": str(month),
        "percent": percent,
        "charged": row.spent(now).charged,
        "budget": row.budget.amount.minor,
    }
    return Event(now, "budget-alert", row.name, data=data)
