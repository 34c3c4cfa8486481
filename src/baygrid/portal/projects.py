"""A project's money: what is left, how the month goes, where it came from, and which support it has."""

from __future__ import annotations

import re

from starlette.responses import Response

from baygrid.app import budgets, projects, vouchers
from baygrid.app.allocations import allocations
from baygrid.app.forecast import outlook
from baygrid.app.problems import Invalid, Problem
from baygrid.app.spending import daily
from baygrid.core.pricing.allocations import Source
from baygrid.core.units import Money
from baygrid.portal.burning import burning
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.records import Role

SOURCES = {
    Source.GRANT: N_("granted"),
    Source.PAYMENT: N_("paid in"),
    Source.CREDIT: N_("on credit"),
}


def list_(visit: Visit) -> Response:
    """A team has one."""
    rows = projects.projects(visit.platform, visit.actor)
    if visit.actor.role is Role.TEAM:
        return go(visit, f"projects/{rows[0].name}")
    return page(visit, "projects/projects.html", rows=rows)


def show(visit: Visit) -> Response:
    return _shown(visit, {"amount": "", "alerts": "50, 80, 100", "hard": ""})


def _shown(visit: Visit, typed: dict[str, str], problem: Problem | None = None) -> Response:
    platform, actor, name = visit.platform, visit.actor, visit.param("project")
    row = projects.project(platform, actor, name)
    days, ahead = daily(platform, actor, name), outlook(platform, actor, name)
    month, spent = ahead.forecast.month, ahead.forecast.charged.minor
    had = row.budget.amount.minor if row.budget is not None else row.granted - row.charged + spent
    return page(
        visit, "projects/project.html", problem=problem, row=row, days=days, ahead=ahead, spent=spent,
        had=had, burn=burning(had, days, month, ahead.forecast.expected.minor), sources=SOURCES,
        allocations=allocations(platform, actor, name), vouchers=vouchers.vouchers(platform, actor, name),
        operator=actor.role is Role.OPERATOR, typed=typed,
    )  # fmt: skip


def set_budget(visit: Visit) -> Response:
    typed = {name: visit.form.get(name) for name in ("amount", "alerts", "hard")}
    name = visit.param("project")
    row = projects.project(visit.platform, visit.actor, name)
    try:
        amount, alerts = _money(typed["amount"], row.currency), _percentages(typed["alerts"])
        budgets.set_budget(
            visit.platform, visit.actor, name, amount, hard=typed["hard"] == "yes", alerts=alerts
        )
    except Invalid as problem:
        return _shown(visit, typed, problem)
    return go(visit, f"projects/{name}", told=visit.say("The budget is set."))


def remove_budget(visit: Visit) -> Response:
    budgets.remove_budget(visit.platform, visit.actor, visit.param("project"))
    return go(visit, f"projects/{visit.param('project')}", told=visit.say("The budget is removed."))


def _money(text: str, currency: str) -> Money:
    """With or without its currency. Raises Invalid."""
    try:
        return Money.parse(text if text[-1:].isalpha() else f"{text} {currency}")
    except ValueError as wrong:
        raise Invalid.at("amount", str(wrong)) from None


def _percentages(text: str) -> list[int]:
    """Raises Invalid."""
    parts = [part for part in re.split(r"[,\s、，%]+", text) if part]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise Invalid.at("alerts", "alerts are percentages, such as 50, 80, 100")
    return [int(part) for part in parts]


PAGES = (
    Page("projects", list_, here="projects"),
    Page("projects/{project}", show, here="projects"),
    Page("projects/{project}/budget", set_budget, here="projects", method="POST"),
    Page("projects/{project}/budget/remove", remove_budget, here="projects", method="POST"),
)
