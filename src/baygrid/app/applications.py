"""Applications: a team asks for an allocation, an operator reviews, another decides with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from baygrid.app.access import Action, Actor, permit, visible, whose
from baygrid.app.allocations import MOST, Wanted, allot
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.core.pricing import applications as life
from baygrid.core.pricing.applications import ApplicationState, IllegalStep, Step
from baygrid.core.units import Money
from baygrid.ports.accounts import ApplicationRow, StepRow
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, Project
from baygrid.ports.store import Tx

_CURES = {
    ApplicationState.REQUESTED: "it is to be reviewed first",
    ApplicationState.REVIEWED: "it is reviewed: decide on it, or withdraw it",
}


@dataclass(frozen=True, slots=True)
class View:
    """An application with its steps, oldest first."""

    row: ApplicationRow
    steps: tuple[StepRow, ...]

    def by(self, step: Step) -> str | None:
        """The token that took this step."""
        return next((it.by for it in self.steps if it.step is step), None)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step that is about to be taken, with its words and its amount."""

    step: Step
    words: str
    amount: Money | None = None


def request(
    platform: Platform,
    actor: Actor,
    *,
    project: str,
    amount: Money,
    start: Instant | None,
    end: Instant,
    purpose: str,
    renews: str | None,
) -> View:
    """A team asks for so much from `start` (None: now) to before `end`. `renews`: an allocation of the
    project that this one is to follow. Raises Invalid, NotFound."""
    permit(actor, Action.USE, project=project)
    now = platform.clock()
    begin = max(now, start or now)
    if end <= begin:
        raise Invalid.at("to", "must be after now, and after the beginning: nothing could be spent")
    _require_words("purpose", purpose)

    def apply(tx: Tx) -> View:
        owner = find_project(tx, project)
        _check_amount(owner, amount, least=1)
        if renews is not None and renews not in {
            row.allocation.id for row in tx.accounts.allocations(project)
        }:
            raise Invalid.at("renews", f"there is no allocation {renews!r} in project {project!r}")
        id = platform.ids.new("application", now)
        state = ApplicationState.REQUESTED
        row = ApplicationRow(id, project, owner.currency, state, amount.minor, begin, end, purpose, renews)
        tx.accounts.insert_application(row)
        _keep(tx, actor, row, _Taken(Step.REQUEST, purpose, amount), now)
        return _view(tx, row)

    return platform.store.write(apply)


def applications(
    platform: Platform, actor: Actor, project: str | None, before: str | None, limit: int
) -> list[ApplicationRow]:
    """Newest first: an operator sees those of all projects, a team its own."""
    project = whose(actor, project)

    def load(tx: Tx) -> list[ApplicationRow]:
        if project is not None:
            find_project(tx, project)
        return tx.accounts.applications(project, before, limit)

    return platform.store.read(load)


def application(platform: Platform, actor: Actor, id: str) -> View:
    """Raises NotFound, Forbidden."""

    def load(tx: Tx) -> View:
        return _view(tx, _found(tx, actor, Action.READ, id))

    return platform.store.read(load)


def review(platform: Platform, actor: Actor, id: str, amount: Money, note: str) -> View:
    """An operator recommends an amount (nothing: to refuse), with a note. Raises Invalid, WrongState."""
    permit(actor, Action.OPERATE)
    _require_words("note", note)

    def decide(tx: Tx, view: View, now: Instant) -> ApplicationRow:
        _check_amount(find_project(tx, view.row.project), amount, least=0, most=view.row.amount)
        return replace(view.row, recommended=amount.minor)

    return _take(platform, actor, id, _Taken(Step.REVIEW, note, amount), decide)


def approve(platform: Platform, actor: Actor, id: str, amount: Money | None, reason: str) -> View:
    """Another operator approves what was recommended, or `amount`: an allocation, in the same transaction.
    Raises Invalid, Forbidden, WrongState."""
    permit(actor, Action.OPERATE)
    _require_words("reason", reason)

    def decide(tx: Tx, view: View, now: Instant) -> ApplicationRow:
        row = view.row
        _check_decider(actor, view)
        project = find_project(tx, row.project)
        approved = amount or Money(row.recommended or 0, row.currency)
        _check_amount(project, approved, least=1, most=row.amount)
        if row.end <= now:
            raise WrongState("its period is over: refuse it, and let the team ask for another")
        wanted = Wanted(approved, row.purpose, start=row.start, end=row.end, application=row.id)
        made = allot(platform, tx, project, wanted, actor.token_id, now)
        return replace(row, approved=approved.minor, allocation=made.allocation.id)

    return _take(platform, actor, id, _Taken(Step.APPROVE, reason, amount), decide)


def refuse(platform: Platform, actor: Actor, id: str, reason: str) -> View:
    """Another operator refuses. Raises Invalid, Forbidden, WrongState."""
    permit(actor, Action.OPERATE)
    _require_words("reason", reason)

    def decide(tx: Tx, view: View, now: Instant) -> ApplicationRow:
        _check_decider(actor, view)
        return view.row

    return _take(platform, actor, id, _Taken(Step.REFUSE, reason), decide)


def withdraw(platform: Platform, actor: Actor, id: str, reason: str) -> View:
    """The team takes it back before anybody has decided. Raises WrongState."""
    return _take(platform, actor, id, _Taken(Step.WITHDRAW, reason), lambda tx, view, now: view.row)


def _take(
    platform: Platform,
    actor: Actor,
    id: str,
    taken: _Taken,
    decide: Callable[[Tx, View, Instant], ApplicationRow],
) -> View:
    """Takes a step that may be taken now, and keeps who took it, when and why. Two at once: the second is
    told how the application stands after the first."""
    now = platform.clock()

    def apply(tx: Tx) -> View:
        view = _view(tx, _found(tx, actor, Action.USE, id))
        try:
            state = life.step(view.row.state, taken.step)
        except IllegalStep as error:
            said = view.row.state.value.lower()
            cure = _CURES.get(view.row.state, f"it is {said}: make a new one")
            raise WrongState(f"{error}: {cure}") from None
        row = replace(decide(tx, view, now), state=state)
        tx.accounts.update_application(row)
        row = replace(row, version=row.version + 1)
        kept = taken if row.approved is None else replace(taken, amount=Money(row.approved, row.currency))
        _keep(tx, actor, row, kept, now)
        return _view(tx, row)

    return platform.store.write(apply)


def _keep(tx: Tx, actor: Actor, row: ApplicationRow, taken: _Taken, now: Instant) -> None:
    minor = None if taken.amount is None else taken.amount.minor
    tx.accounts.insert_step(StepRow(row.id, row.version, taken.step, now, actor.who, minor, taken.words))
    data = {"application": row.id, "minor": minor, "allocation": row.allocation}
    known = {key: value for key, value in data.items() if value is not None}
    tx.events.append([Event(now, f"application-{row.state.value.lower()}", row.project, data=known)])


def _found(tx: Tx, actor: Actor, action: Action, id: str) -> ApplicationRow:
    row = tx.accounts.application(id)
    if row is None:
        permit(actor, action, project=actor.project)
        raise NotFound(f"there is no application {id!r}")
    visible(actor, action, row.project, "application", id)
    return row


def _view(tx: Tx, row: ApplicationRow) -> View:
    return View(row, tuple(tx.accounts.steps(row.id)))


def _check_decider(actor: Actor, view: View) -> None:
    """Nobody decides alone. Raises Forbidden."""
    if actor.who == view.by(Step.REVIEW):
        raise Forbidden("who has reviewed an application may not decide on it: let another operator decide")
    if actor.who == view.by(Step.REQUEST):
        raise Forbidden("who has asked may not decide on it: let another operator decide")


def _check_amount(project: Project, amount: Money, *, least: int, most: int | None = None) -> None:
    """In minor units. Raises Invalid."""
    if amount.currency != project.currency:
        raise Invalid.at(
            "amount", f"project {project.name!r} is kept in {project.currency}, not {amount.currency}"
        )
    if amount.minor < least:
        raise Invalid.at("amount", f"must be {'more than' if least else 'at least'} nothing, not {amount}")
    if amount.minor > MOST:
        raise Invalid.at("amount", "is more than a ledger can hold")
    if most is not None and amount.minor > most:
        raise Invalid.at("amount", f"is more than was asked for: at most {Money(most, amount.currency)}")


def _require_words(path: str, text: str) -> None:
    if not text.strip():
        raise Invalid.at(path, "is empty: say it in a sentence, it is kept")
