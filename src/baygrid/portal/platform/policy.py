"""The region's placement policy: quotas, reservations, weights; as one document that is read and set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from baygrid.app import policies
from baygrid.app.access import Action, permit
from baygrid.app.problems import Invalid, Problem
from baygrid.portal import job_form
from baygrid.portal.page import page
from baygrid.portal.platform.teams import check_same
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go

A_POLICY: Final = "must be a policy: shares, queues, reservations and so on, each on a line of its own"


def show(visit: Visit) -> Response:
    return _show(visit)


def _show(visit: Visit, text: str | None = None, problem: Problem | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    now = policies.policy(visit.platform, visit.actor)
    document: Mapping[str, Any] = now.document if now else {}
    if text is None:
        text = job_form.text_of(document) if document else ""
    return page(
        visit, "platform/policy.html", problem=problem, now=now, document=document, text=text,
        history=policies.history(visit.platform, visit.actor)[:20],
    )  # fmt: skip


def put(visit: Visit) -> Response:
    text = visit.form.text("text")
    try:
        document, lines = job_form.read(text, A_POLICY)
        now = policies.policy(visit.platform, visit.actor)
        check_same(now.id if now else "", visit.form.get("policy"))
        try:
            policies.set_policy(visit.platform, visit.actor, document, None)
        except Invalid as problem:
            raise job_form.in_lines(problem, lines) from None
    except Problem as problem:
        return _show(visit, text, problem)
    return go(visit, "region/policy", visit.say("The policy is in force."))


PAGES = (
    Page("region/policy", show, here="policy"),
    Page("region/policy", put, here="policy", method="POST"),
)
