"""What every step of a contract about data shares: who takes it, what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.crossing import Crossing, crossing
from baygrid.app.problems import NotFound, WrongState
from baygrid.core.data import contracts as life
from baygrid.core.data.contracts import IllegalStep, Side, State, Step
from baygrid.core.reasons import Reason
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, ContractStep, GrantRow
from baygrid.ports.records import Event, Role
from baygrid.ports.store import Tx

DAY_MS: Final = 86_400_000
WARN_DAYS: Final = (30, 7)
"""So many days before it ends both sides are warned, once each."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that is about to be taken: by whom, and what is told of it."""

    step: Step
    side: Side
    by: str
    data: Mapping[str, Any]


class Refused(WrongState):
    """The law, or what is recorded, is in the way; the code is the reason's."""

    title = "The contract does not let this be"


def refused(reason: Reason) -> Refused:
    return Refused(reason.text, reason=reason.to_json())


def side_of(actor: Actor, row: ContractRow, action: Action) -> Side:
    """Raises NotFound for who is no side of it, Forbidden for who may not do such things at all."""
    if actor.role is Role.OPERATOR:
        permit(actor, action)
        return Side.OPERATOR
    permit(actor, action, project=actor.project)
    if actor.project == row.provider:
        return Side.PROVIDER
    if actor.project == row.consumer:
        return Side.CONSUMER
    raise NotFound(f"there is no contract {row.id!r}")


def find(tx: Tx, actor: Actor, id: str, action: Action = Action.USE) -> tuple[ContractRow, Side]:
    """Raises NotFound."""
    permit(actor, action, project=actor.project)
    row = tx.contracts.get(id)
    if row is None:
        raise NotFound(f"there is no contract {id!r}")
    return row, side_of(actor, row, action)


def loaded(tx: Tx, row: ContractRow) -> Crossing:
    return crossing(tx, row, tx.contracts.grants([row.id]))


def advance(tx: Tx, row: ContractRow, taken: Taken, now: Instant, **changes: Any) -> ContractRow:
    """The contract after the step, with its event for both sides and its link of the audit. Raises
    WrongState."""
    state = stepped(row, taken.step, taken.side)
    after = replace(row, state=state, **changes)
    after = replace(after, due=next_look(after, now))
    tx.contracts.change(after)
    tx.contracts.append_step(
        ContractStep(row.id, row.version + 1, now, taken.step, taken.side, taken.by, taken.data)
    )
    if state is not State.FINALIZED or after.suspensions:
        close(tx, row.id, now if row.until is None else min(now, row.until))
    tell(tx, after, taken, now)
    return replace(after, version=row.version + 1)


def stepped(row: ContractRow, step: Step, side: Side) -> State:
    """Raises WrongState."""
    try:
        return life.take(row.state, step, side)
    except IllegalStep as wrong:
        raise WrongState(f"contract {row.id!r}: {wrong}") from None


def tell(tx: Tx, row: ContractRow, taken: Taken, now: Instant) -> None:
    kind = f"contract-{taken.step.value}"
    told = {"contract": row.id, "state": row.state.value, "side": taken.side.value}
    brief = {
        name: taken.data[name] for name in ("code", "reason", "obligation", "until") if name in taken.data
    }
    tx.events.append(
        [Event(now, kind, project, data={**told, **brief}) for project in (row.provider, row.consumer)]
    )
    whose = {Side.PROVIDER: row.provider, Side.CONSUMER: row.consumer}.get(taken.side)
    data = {**told, "by": taken.by, **taken.data}
    tx.audit.append(now, kind, data, contract=row.id, project=whose)


def close(tx: Tx, contract: str, at: Instant) -> None:
    """What was readable is not any more."""
    for grant in tx.contracts.grants([contract]):
        if grant.opened is not None and grant.closed is None:
            tx.contracts.change_grant(replace(grant, closed=at))


def opened(grant: GrantRow, now: Instant) -> GrantRow:
    return replace(grant, opened=now if grant.opened is None else grant.opened, closed=None)


def next_look(row: ContractRow, now: Instant) -> Instant | None:
    """When time alone does something to it next: a warning, its end."""
    if row.state.final or row.until is None:
        return None
    warnings = [row.until - days * DAY_MS for days in WARN_DAYS if row.warned is None or days < row.warned]
    coming = [at for at in warnings if at > now] if row.state is State.FINALIZED else []
    return min([*coming, row.until])
