"""The catalogue: what there is, what its columns are in law, and asking for it."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app import contracts, labelling, looking, tables
from baygrid.app.access import Action, Actor, permit
from baygrid.app.contract_terms import Wanted
from baygrid.app.problems import Invalid, Problem
from baygrid.app.tables import View
from baygrid.core.data.labelling import WORDS, labels, told
from baygrid.core.data.terms import Mode, Terms
from baygrid.portal.data.words import GROUNDS, KINDS, LABELS
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Form, Visit, go
from baygrid.ports.data import TableRow
from baygrid.ports.records import Role

AT_ONCE = 100
EMPTY = Form()


def list_(visit: Visit) -> Response:
    return _listed(visit, visit.asked("q"))


def _listed(visit: Visit, search: str, problem: Problem | None = None) -> Response:
    found = tables.tables(visit.platform, visit.actor, project=None, search=search)
    return page(
        visit, "data/tables.html", problem=problem, search=search, views=found[:AT_ONCE], count=len(found),
        summary={view.row.ref: summary(view.row) for view in found[:AT_ONCE]}, words=LABELS,
        wishes=looking.wishes(visit.platform, visit.actor)[:20], wishing=visit.actor.role is Role.TEAM,
    )  # fmt: skip


def summary(row: TableRow) -> dict[str, int]:
    """How many columns each word is said of, and of how many nothing is ("")."""
    found: dict[str, int] = {}
    for it in row.columns:
        said = told(row.labels[it.name]) if it.name in row.labels else []
        for word in said or [""]:
            found[word] = found.get(word, 0) + 1
    return found


def wish(visit: Visit) -> Response:
    text = visit.form.get("text")
    try:
        looking.wish(visit.platform, visit.actor, None, text)
    except Invalid as problem:
        return _listed(visit, text, problem)
    return go(visit, "data", told=visit.say("It is noted that this is wanted."))


def show(visit: Visit) -> Response:
    return _shown(visit, EMPTY)


def _shown(visit: Visit, typed: Form, problem: Problem | None = None) -> Response:
    platform, actor = visit.platform, visit.actor
    view = tables.table(platform, actor, visit.param("project"), visit.param("table"))
    row = view.row
    return page(
        visit, "data/table.html", problem=problem, view=view, row=row, typed=typed, words=LABELS, kinds=KINDS,
        options=WORDS, said={name: told(it) for name, it in row.labels.items()},
        proposals=_proposals(visit, row) if _uses(actor, row.project) else {}, grounds=GROUNDS,
        confirms=_uses(actor, row.project), asks=_asks(actor, view),
    )  # fmt: skip


def _uses(actor: Actor, project: str) -> bool:
    try:
        permit(actor, Action.USE, project=project)
    except Problem:
        return False
    return True


def _asks(actor: Actor, view: View) -> bool:
    own = actor.project == view.row.project
    return actor.role is Role.TEAM and not own and _uses(actor, actor.project or "")


def _proposals(visit: Visit, row: TableRow) -> dict[str, labelling.Proposal] | None:
    """None where its source cannot be read now."""
    try:
        found = labelling.proposals(visit.platform, visit.actor, row.project, row.name)
    except Problem:
        return None
    return {it.column: it for it in found}


def confirm(visit: Visit) -> Response:
    """What each column is, of those of which anything is said."""
    project, name = visit.param("project"), visit.param("table")
    row = tables.table(visit.platform, visit.actor, project, name).row
    said = {}
    for n, it in enumerate(row.columns):
        words = {kind: visit.form.get(f"{n}-{kind}") for kind in WORDS}
        chosen = {kind: word for kind, word in words.items() if word in WORDS[kind]}
        if chosen:
            said[it.name] = chosen
    try:
        found = labels(said, [it.name for it in row.columns])
        labelling.confirm(visit.platform, visit.actor, project, name, found, visit.form.get("by"))
    except Invalid as problem:
        return _shown(visit, visit.form, problem)
    return go(visit, f"data/tables/{project}/{name}", told=visit.say("The labels are confirmed."))


def ask(visit: Visit) -> Response:
    """A contract is asked for."""
    project, name = visit.param("project"), visit.param("table")
    row = tables.table(visit.platform, visit.actor, project, name).row
    form = visit.form
    every = [it.name for it in row.columns]
    columns = [it for it in form.all("columns") if it in every]
    terms = Terms(
        columns=None if columns == every else tuple(columns),
        mode=Mode.AGGREGATE if form.get("mode") == "aggregate" else Mode.ROWS,
        k=_persons(form) if form.get("mode") == "aggregate" else 0,
    )
    wanted = Wanted(
        {row.ref: terms}, purpose=form.get("purpose"), ground=form.get("ground") or None,
        onward=form.get("onward") == "yes",
    )  # fmt: skip
    try:
        if not columns:
            raise Invalid.at("columns", visit.say("Choose at least one column."))
        made = contracts.request(visit.platform, visit.actor, wanted, share=form.get("share") or None)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return _shown(visit, form, problem)
    return go(visit, f"data/contracts/{made.row.id}", told=visit.say("It is asked for."))


def _persons(form: Form) -> int:
    """Of a figure at least. What is none is refused as too few."""
    text = form.get("k")
    return int(text) if text.isdecimal() and len(text) <= 6 else 0


PAGES = (
    Page("data", list_, here="data"),
    Page("data/wanted", wish, here="data", method="POST"),
    Page("data/tables/{project}/{table}", show, here="data"),
    Page("data/tables/{project}/{table}/labels", confirm, here="data", method="POST"),
    Page("data/tables/{project}/{table}/request", ask, here="data", method="POST"),
)
