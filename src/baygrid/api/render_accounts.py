"""Accounts as the JSON of the REST contract."""

from __future__ import annotations

from baygrid.api.render import Doc, instant, instant_or_none, money
from baygrid.app.allocations import Standing
from baygrid.app.applications import View
from baygrid.app.forecast import Outlook
from baygrid.core.units import Money
from baygrid.ports.accounts import ApplicationRow
from baygrid.ports.basics import Instant
from baygrid.ports.records import Project


def allocation(standing: Standing, now: Instant) -> Doc:
    row, it = standing.row, standing.row.allocation
    currency = it.amount.currency
    return {
        "id": it.id,
        "project": it.project,
        "source": it.source.value,
        "state": "planned" if now < it.start else "ended" if it.ended(now) else "in force",
        "amount": money(it.amount.minor, currency),
        "used": money(standing.used, currency),
        "returned": money(it.returned, currency),
        "left": money(it.kept - standing.used, currency),
        "from": instant(it.start),
        "to": instant_or_none(it.end),
        "purpose": it.purpose,
        "made_at": instant(row.made_at),
        "application": row.application,
        "warned_days": row.warned,
    }


def budget(row: Project, now: Instant) -> Doc:
    """Of a project that has one."""
    assert row.budget is not None
    spent = row.spent(now)
    return {
        "project": row.name,
        "month": str(spent.month),
        "budget": money(row.budget.amount.minor, row.currency),
        "hard": row.budget.hard,
        "alerts": list(row.budget.alerts),
        "charged": money(spent.charged, row.currency),
        "held": money(spent.held, row.currency),
        "percent": row.budget.percent(spent.charged),
        "alerted": row.alerted or None if row.month == spent.month.start else None,
    }


def forecast(row: Outlook) -> Doc:
    it = row.forecast
    figures = {
        "expected": it.expected,
        "at_most": it.at_most,
        "charged": it.charged,
        "running": it.running,
        "still": it.still,
        "committed": it.committed,
        "committed_later": it.committed_later,
        "last_7_days": it.last_days,
        "waiting": Money(row.waiting, row.project.currency),
    }
    budget = row.project.budget
    return {
        "project": row.project.name,
        "month": str(it.month),
        "at": instant(it.now),
        "attempts": it.attempts,
        **{name: money(found.minor, found.currency) for name, found in figures.items()},
        "budget": None if budget is None else money(budget.amount.minor, row.project.currency),
    }


def application_line(row: ApplicationRow) -> Doc:
    return {
        "id": row.id,
        "project": row.project,
        "state": row.state.value,
        "amount": money(row.amount, row.currency),
        "from": instant(row.start),
        "to": instant(row.end),
        "purpose": row.purpose,
        "renews": row.renews,
        "recommended": _money_or_none(row.recommended, row.currency),
        "approved": _money_or_none(row.approved, row.currency),
        "allocation": row.allocation,
    }


def application(view: View) -> Doc:
    steps = [
        {
            "step": it.step.value,
            "at": instant(it.at),
            "by": it.by,
            "amount": _money_or_none(it.amount, view.row.currency),
            "words": it.words,
        }
        for it in view.steps
    ]
    return {**application_line(view.row), "steps": steps}


def _money_or_none(minor: int | None, currency: str) -> Doc | None:
    return None if minor is None else money(minor, currency)
