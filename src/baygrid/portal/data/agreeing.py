"""Contracts about data: where each stands, what the law says of it today, and the steps that one may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from starlette.responses import Response

from baygrid.app import audit, contracts, gates
from baygrid.app.contract_terms import Wanted
from baygrid.app.contract_view import Contract, Whole, whole
from baygrid.app.crossing import SAID
from baygrid.app.problems import Invalid, Problem
from baygrid.core.data.contracts import TABLE, WHO, Side, State, Step
from baygrid.core.data.permission import Record
from baygrid.core.days import beginning, day_of
from baygrid.core.law.facts import Kind
from baygrid.portal.data.words import GROUNDS, LINKS, OUTCOMES, ROUTES, SIDES, STATES, STEPS, WAY
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Form, Visit, go
from baygrid.ports.contracts import ContractRow
from baygrid.ports.records import Role
from baygrid.rulebooks.cross_border.book import facts

AT_ONCE = 50
LINKS_AT_ONCE = 50
EMPTY = Form()


def list_(visit: Visit) -> Response:
    found = contracts.contracts(visit.platform, visit.actor, visit.asked("before") or None, AT_ONCE + 1)
    next = found[AT_ONCE - 1].row.id if len(found) > AT_ONCE else ""
    return page(visit, "data/contracts.html", found=found[:AT_ONCE], next=next, states=STATES)


def show(visit: Visit) -> Response:
    return _shown(visit, EMPTY)


def _shown(visit: Visit, typed: Form, problem: Problem | None = None) -> Response:
    id = visit.param("contract")
    it = whole(visit.platform, visit.actor, id)
    row, side = it.contract.row, _side(visit, it.contract.row)
    return page(
        visit, "data/contract.html", problem=problem, it=it, row=row, side=side, typed=typed,
        steps=_steps(row, side), way=_way(it), asked=_asked(it), today=day_of(visit.now).isoformat(),
        links=audit.links(visit.platform, visit.actor, before=None, limit=LINKS_AT_ONCE, contract=id),
        questions={name: facts()[0][name].question for name in it.answer.law.missing}, outcomes=OUTCOMES,
        states=STATES, sides=SIDES, taken=STEPS, grounds=GROUNDS, routes=ROUTES, kinds=LINKS,
    )  # fmt: skip


def _side(visit: Visit, row: ContractRow) -> Side:
    if visit.actor.role is Role.OPERATOR:
        return Side.OPERATOR
    return Side.PROVIDER if visit.actor.project == row.provider else Side.CONSUMER


def _steps(row: ContractRow, side: Side) -> set[str]:
    """Those that this side may take now, whatever the law says of them."""
    found = {step for (state, step) in TABLE if state is row.state and side in WHO[step]}
    if not row.suspensions:
        found.discard(Step.RESUME)
    if any(it.side is side for it in row.suspensions):
        found.discard(Step.SUSPEND)
    return {it.value for it in found}


def _way(it: Whole) -> list[tuple[State, str]]:
    """The stations to a contract in force: "done", "now" or "" (still to come)."""
    taken = {step.step for step in it.contract.steps}
    stations = [at for at in WAY if at not in (State.OFFERED, State.ACCEPTED) or Step.OFFER in taken]
    state = it.contract.row.state
    if state is State.TERMINATED:
        return [(at, "done") for at in stations[:1]] + [(state, "now")]
    here = stations.index(state)
    return [(at, "done" if n < here else "now" if n == here else "") for n, at in enumerate(stations)]


def _asked(it: Whole) -> dict[str, tuple[str, str]]:
    """Facts that the law lacks and the parties may say: the question and its kind, by name."""
    known = facts()[0]
    return {
        name: (known[name].question, known[name].kind.value) for name in it.answer.law.missing if name in SAID
    }


def take(visit: Visit) -> Response:
    """One step, by the button that was pressed."""
    wanted, form = visit.form.get("step"), visit.form
    try:
        acting = _ACTS.get(wanted)
        if acting is None:
            raise Invalid.at("step", "is none of a contract's")
        acting(visit, visit.param("contract"), form)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return _shown(visit, form, problem)
    return _back(visit)


def record(visit: Visit) -> Response:
    """That an obligation was met."""
    form = visit.form
    try:
        day = _day("day", form.get("day"))
        new = Record(form.get("by"), day, form.get("sha256") or None, form.get("reference") or None)
        gates.record(visit.platform, visit.actor, visit.param("contract"), form.get("obligation"), new)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return _shown(visit, form, problem)
    return _back(visit)


def _back(visit: Visit) -> Response:
    return go(visit, f"data/contracts/{visit.param('contract')}", told=visit.say("It is done."))


def _talked(visit: Visit, id: str, form: Form) -> Contract:
    """An offer, or another request: what is left empty stays as it was."""
    row = whole(visit.platform, visit.actor, id).contract.row
    until = form.get("until")
    said = _facts({name: form.get(f"fact-{name}") for name in SAID})
    wanted = Wanted(
        ground=form.get("ground") or None, choice=form.get("choice") or None,
        facts={**row.facts, **said} if said else None,
        until=beginning(_day("until", until) + timedelta(days=1)) if until else None,
    )  # fmt: skip
    act = contracts.offer if form.get("step") == Step.OFFER else contracts.ask_again
    return act(visit.platform, visit.actor, id, wanted)


def _facts(typed: Mapping[str, str]) -> dict[str, object]:
    known = facts()[0]
    return {
        name: text == "yes" if known[name].kind is Kind.YES_NO else text
        for name, text in typed.items()
        if text
    }


def _day(path: str, text: str) -> date:
    """Raises Invalid."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.at(path, "must be a day, such as 2026-11-30") from None


_ACTS: Mapping[str, Callable[[Visit, str, Form], Contract]] = {
    "request": _talked,
    "offer": _talked,
    "accept": lambda visit, id, _: contracts.accept(visit.platform, visit.actor, id),
    "agree": lambda visit, id, _: gates.agree(visit.platform, visit.actor, id),
    "verify": lambda visit, id, _: contracts.verify(visit.platform, visit.actor, id),
    "finalize": lambda visit, id, _: gates.finalize(visit.platform, visit.actor, id),
    "suspend": lambda visit, id, form: contracts.suspend(visit.platform, visit.actor, id, form.get("reason")),
    "resume": lambda visit, id, _: gates.resume(visit.platform, visit.actor, id),
    "terminate": lambda visit, id, form: contracts.terminate(
        visit.platform, visit.actor, id, form.get("reason")
    ),
}

PAGES = (
    Page("data/contracts", list_, here="contracts"),
    Page("data/contracts/{contract}", show, here="contracts"),
    Page("data/contracts/{contract}/step", take, here="contracts", method="POST"),
    Page("data/contracts/{contract}/record", record, here="contracts", method="POST"),
)
