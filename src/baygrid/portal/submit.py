"""Submitting a job: typed into a form or as YAML, checked and priced place by place before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from baygrid.app import explain, jobs, offers
from baygrid.app.access import Action, permit
from baygrid.app.explain import Table
from baygrid.app.once import Once
from baygrid.app.problems import Invalid, NotFound, Problem
from baygrid.app.submit import submit as submit_jobs
from baygrid.portal import job_form
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go

FORM, FILE = "form", "file"


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is on the page: `fields` of the form, or the `text` of the file."""

    kind: str
    fields: Mapping[str, str]
    text: str


def ask(visit: Visit) -> Response:
    permit(visit.actor, Action.USE, project=visit.actor.project)
    kind = FILE if visit.asked("as") == FILE or visit.asked("clone") else FORM
    if visit.asked("clone"):
        spec = jobs.job(visit.platform, visit.actor, visit.asked("clone")).job.spec
        text = job_form.text_of({key: value for key, value in spec.items() if key != "project"})
    else:
        name = visit.asked("template", "hello")
        if name not in job_form.TEMPLATES:
            raise NotFound(f"there is no template {name!r}")
        text = job_form.template(name)
    return _show(visit, _Draft(kind, job_form.fields_of(job_form.read(text)[0]), text))


def act(visit: Visit) -> Response:
    """Checks and prices what was typed; sends it only if its price was just shown."""
    permit(visit.actor, Action.USE, project=visit.actor.project)
    form = visit.form
    kind = FILE if form.get("as") == FILE else FORM
    draft = _Draft(kind, job_form.typed(form), form.text("text"))
    lines: Mapping[str, int] = {}
    try:
        if kind == FILE:
            document, lines = job_form.read(draft.text)
        else:
            document = job_form.document(draft.fields)
            draft = _Draft(kind, draft.fields, job_form.text_of(document))
        if form.get("do") == "file":
            return _show(visit, _Draft(FILE, draft.fields, draft.text))
        found = explain.of_document(visit.platform, visit.actor, document)
        if form.get("do") == "send" and form.get("checked") == job_form.digest(draft.text):
            return _send(visit, document, draft.text)
    except Problem as problem:
        if isinstance(problem, Invalid):
            problem = job_form.in_lines(problem, lines) if kind == FILE else job_form.by_field(problem)
        return _show(visit, draft, problem=problem)
    return _show(visit, draft, found=found)


def _send(visit: Visit, document: Mapping[str, Any], text: str) -> Response:
    once = Once(visit.form.get("key")[:200], job_form.digest(text)) if visit.form.get("key") else None
    done = submit_jobs(
        visit.platform, visit.actor, [document], project=None, once=once,
        render=lambda accepted: orjson.dumps({"id": accepted[0].id}).decode(),
    )  # fmt: skip
    id = orjson.loads(done.answer.body)["id"]
    told = visit.say("Submitted.") + (f" {done.notice}" if done.notice else "")
    return go(visit, "jobs", told, array=id) if id.startswith("array") else go(visit, f"jobs/{id}", told)


def _show(
    visit: Visit, draft: _Draft, *, found: Table | None = None, problem: Problem | None = None
) -> Response:
    rows = offers.offers(visit.platform, visit.actor)
    models = sorted(
        {it.accelerator for it in rows if it.accelerator} | {draft.fields["resources.accelerators"]}
    )
    return page(
        visit, "submit/submit.html", problem=problem, draft=draft, found=found,
        models=[it for it in models if it], templates=job_form.TEMPLATES,
        checked=job_form.digest(draft.text) if found else "",
        key=visit.platform.ids.new("form", visit.now),
    )  # fmt: skip


PAGES = (Page("submit", ask, here="submit"), Page("submit", act, here="submit", method="POST"))
