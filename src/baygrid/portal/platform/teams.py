"""Organisations and their projects: made, funded, and weighed against what they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from baygrid.app import policies, projects
from baygrid.app.access import Action, permit
from baygrid.app.allocations import Wanted
from baygrid.app.fair_share import FairShare, fair_shares
from baygrid.app.once import Once
from baygrid.app.problems import Invalid, Problem
from baygrid.core.units import DECIMALS, Money
from baygrid.portal.job_form import digest
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.records import Kind

KINDS: Final[Mapping[str, str]] = {
    Kind.COMPANY: N_("Company"),
    Kind.UNIVERSITY: N_("University"),
    Kind.INSTITUTE: N_("Institute"),
}
MOST_WEIGHT: Final = 6
"""Digits."""


def organisations(visit: Visit) -> Response:
    return _organisations(visit, {"name": "", "kind": "company", "title": ""})


def _organisations(visit: Visit, typed: dict[str, str], problem: Problem | None = None) -> Response:
    rows = projects.organisations(visit.platform, visit.actor)
    shares: dict[str, list[FairShare]] = {row.name: [] for row in rows}
    for it in fair_shares(visit.platform, visit.actor):
        shares[it.organisation].append(it)
    return page(
        visit, "platform/organisations.html", problem=problem, rows=rows, shares=shares, kinds=KINDS,
        typed=typed,
    )  # fmt: skip


def add_organisation(visit: Visit) -> Response:
    typed = {name: visit.form.get(name) for name in ("name", "kind", "title")}
    try:
        if typed["kind"] not in list(Kind):
            raise Invalid.at("kind", f"choose one of {', '.join(Kind)}")
        projects.add_organisation(
            visit.platform, visit.actor, typed["name"], Kind(typed["kind"]), typed["title"]
        )
    except Problem as problem:
        return _organisations(visit, typed, problem)
    return go(visit, "region/organisations", visit.say("The organisation is there."))


def list_(visit: Visit) -> Response:
    asked = visit.asked("organisation")
    return _list(visit, {"name": "", "organisation": asked, "currency": "CNY", "amount": ""})


def _list(visit: Visit, typed: dict[str, str], problem: Problem | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    return page(
        visit, "platform/projects.html", problem=problem, rows=projects.projects(visit.platform, visit.actor),
        organisations=projects.organisations(visit.platform, visit.actor), typed=typed,
        shares={it.project: it for it in fair_shares(visit.platform, visit.actor)},
        currencies=tuple(DECIMALS),
    )  # fmt: skip


def add(visit: Visit) -> Response:
    typed = {name: visit.form.get(name) for name in ("name", "organisation", "currency", "amount")}
    try:
        funds = _money(typed["amount"], typed["currency"]) if typed["amount"] else None
        row = projects.add_project(
            visit.platform, visit.actor, typed["name"], typed["organisation"], typed["currency"], funds
        )
    except Problem as problem:
        return _list(visit, typed, problem)
    return go(visit, f"region/projects/{row.name}", visit.say("The project is there."))


def show(visit: Visit) -> Response:
    return _show(visit, {})


def _show(visit: Visit, typed: dict[str, str], problem: Problem | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    row = projects.project(visit.platform, visit.actor, visit.param("project"))
    (share,) = (it for it in fair_shares(visit.platform, visit.actor) if it.project == row.name)
    now = policies.policy(visit.platform, visit.actor)
    known = {
        "amount": "", "purpose": "", "weight": str(share.weight),
        "of_organisation": str(share.of_organisation),
    }  # fmt: skip
    return page(
        visit, "platform/project.html", problem=problem, row=row, share=share, typed=known | typed,
        policy=now.id if now else "", once=typed.get("once") or visit.platform.ids.secret(),
    )  # fmt: skip


def grant(visit: Visit) -> Response:
    """Sent twice it is made once."""
    permit(visit.actor, Action.OPERATE)
    name, typed = visit.param("project"), {it: visit.form.get(it) for it in ("amount", "purpose", "once")}
    row = projects.project(visit.platform, visit.actor, name)
    said = digest("\n".join((name, typed["amount"], typed["purpose"])))
    try:
        if not typed["purpose"]:
            raise Invalid.at("purpose", "say what it is for")
        wanted = Wanted(_money(typed["amount"], row.currency), typed["purpose"])
        once = Once(typed["once"][:200], said) if typed["once"] else None
        projects.grant(visit.platform, visit.actor, name, wanted, once)
    except Problem as problem:
        return _show(visit, typed, problem)
    return go(visit, f"region/projects/{name}", visit.say("The money is granted."))


def weigh(visit: Visit) -> Response:
    """Writes both weights into the policy that the page was made of."""
    permit(visit.actor, Action.OPERATE)
    name, typed = visit.param("project"), {it: visit.form.get(it) for it in ("weight", "of_organisation")}
    row = projects.project(visit.platform, visit.actor, name)
    try:
        weights = {it: _weight(it, text) for it, text in typed.items()}
        now = policies.policy(visit.platform, visit.actor)
        check_same(now.id if now else "", visit.form.get("policy"))
        document = dict(now.document) if now else {}
        of = {row.organisation: weights["of_organisation"], f"{row.organisation}/{name}": weights["weight"]}
        document["shares"] = {**document.get("shares", {}), **of}
        policies.set_policy(visit.platform, visit.actor, document, None)
    except Problem as problem:
        return _show(visit, typed, problem)
    return go(visit, f"region/projects/{name}", visit.say("The weights count from now on."))


def check_same(now: str, before: str) -> None:
    """That nobody set another policy while this form was filled in. Raises Invalid."""
    if now != before:
        raise Invalid.at("policy", "was changed meanwhile: look at it as it is now, and send again")


def _weight(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_WEIGHT):
        raise Invalid.at(name, "a weight is a whole number, 0 or more")
    return int(text)


def _money(text: str, currency: str) -> Money:
    """With or without its currency. Raises Invalid."""
    try:
        return Money.parse(text if text[-1:].isalpha() else f"{text} {currency}")
    except ValueError as wrong:
        raise Invalid.at("amount", str(wrong)) from None


_ONE = "region/projects/{project}"
PAGES = (
    Page("region/organisations", organisations, here="organisations"),
    Page("region/organisations", add_organisation, here="organisations", method="POST"),
    Page("region/projects", list_, here="region-projects"),
    Page("region/projects", add, here="region-projects", method="POST"),
    Page(_ONE, show, here="region-projects"),
    Page(f"{_ONE}/grant", grant, here="region-projects", method="POST"),
    Page(f"{_ONE}/weight", weigh, here="region-projects", method="POST"),
)
