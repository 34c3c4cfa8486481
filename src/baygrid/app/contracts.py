"""Contracts about data: one project asks another for tables, they agree, either ends it when it wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from baygrid.app import open_data
from baygrid.app.access import Action, Actor, permit
from baygrid.app.contract_steps import Taken, advance, find, loaded, next_look, tell
from baygrid.app.contract_terms import Wanted, check_text, checked, granted, said, stated
from baygrid.app.contract_view import Contract, view
from baygrid.app.names import check_name
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.projects import find_project
from baygrid.core.data import contracts as life
from baygrid.core.data.contracts import IllegalStep, Side, State, Step, Suspension
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, ContractStep, GrantRow
from baygrid.ports.records import Role
from baygrid.ports.store import Exists, Tx

LAST: Final = "~"  # after every id


def contracts(
    platform: Platform, actor: Actor, before: str | None = None, limit: int = 100
) -> list[Contract]:
    """Those of which the actor's project is a side, an operator's all; newest first."""
    project = actor.project
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> list[Contract]:
        rows = tx.contracts.page(project, before or LAST, limit)
        return [Contract(loaded(tx, row), ()) for row in rows]

    return platform.store.read(load)


def request(
    platform: Platform,
    actor: Actor,
    wanted: Wanted,
    *,
    consumer: str | None = None,
    share: str | None = None,
    once: Once | None = None,
) -> Contract:
    """Asks for tables. Where all of them are open, and the law lets everybody have them, the contract is
    final at once. Raises Invalid, NotFound, WrongState."""
    consumer = consumer or actor.project
    if consumer is None:
        raise Invalid.at("project", "name the project that is to read")
    permit(actor, Action.USE, project=consumer)
    if actor.role is not Role.TEAM:
        raise WrongState("a contract is requested by the consumer's own team")
    now = platform.clock()
    if not wanted.tables:
        raise Invalid.at("tables", "name at least one table, as PROJECT/NAME")
    checked(platform, wanted.tables)
    provider = next(iter(wanted.tables)).partition("/")[0]
    name = check_name("share", share or provider).casefold()
    if "." in name:
        raise Invalid.at("share", "cannot have a full stop: it is read as SHARE.PROJECT.TABLE")

    def work(tx: Tx) -> str:
        row = _new(platform, tx, actor, wanted, consumer, provider, name, now)
        return row.id

    def apply(tx: Tx) -> Contract:
        made = answered(tx, consumer, once, now, lambda: work(tx))
        return view(tx, found(tx, made.answer.body))

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"share {name!r} is just being requested: try again") from None


def found(tx: Tx, id: str) -> ContractRow:
    row = tx.contracts.get(id)
    assert row is not None, id
    return row


def _new(
    platform: Platform,
    tx: Tx,
    actor: Actor,
    wanted: Wanted,
    consumer: str,
    provider: str,
    share: str,
    now: Instant,
) -> ContractRow:
    if provider == consumer:
        raise Invalid.at("tables", f"{provider!r} reads its own tables without a contract")
    grants = granted(platform, tx, "", wanted.tables or {}, now)
    if not wanted.purpose:
        raise Invalid.at("purpose", "say what the data are for: the persons concerned are told")
    earlier = tx.contracts.of_share(consumer, share)
    live = [row for row in earlier if not row.state.final]
    if live:
        raise WrongState(
            f"{consumer!r} has a share {share!r} already, contract {live[0].id}: name another share"
        )
    row = ContractRow(
        id=platform.ids.new("contract", now),
        version=0,
        share=share,
        nth=1 + max((row.nth for row in earlier), default=-1),
        provider=provider,
        consumer=consumer,
        exporter=find_project(tx, provider).organisation,
        purpose="",
        ground=None,
        choice=None,
        onward=False,
        scope=None,
        facts={},
        start=now,
        until=None,
        state=State.REQUESTED,
        made_at=now,
        made_by=actor.token_id,
    )
    row = insert(tx, stated(row, wanted, now), [replace(it, contract=row.id) for it in grants], actor, now)
    return open_data.settle(platform, tx, row, now)


def insert(tx: Tx, row: ContractRow, grants: Sequence[GrantRow], actor: Actor, now: Instant) -> ContractRow:
    """A new contract with its first step. Raises Exists."""
    row = replace(row, due=next_look(row, now))
    tx.contracts.insert(row, grants)
    taken = Taken(Step.REQUEST, Side.CONSUMER, actor.token_id, said(row, grants))
    tx.contracts.append_step(ContractStep(row.id, 0, now, taken.step, taken.side, taken.by, taken.data))
    tell(tx, row, taken, now)
    return row


def offer(platform: Platform, actor: Actor, id: str, wanted: Wanted) -> Contract:
    """The provider says under what terms; what it leaves out stays as it was asked for."""
    return _talk(platform, actor, id, Step.OFFER, wanted)


def ask_again(platform: Platform, actor: Actor, id: str, wanted: Wanted) -> Contract:
    """The consumer asks for something else than was offered."""
    return _talk(platform, actor, id, Step.REQUEST, wanted)


def accept(platform: Platform, actor: Actor, id: str) -> Contract:
    return take(platform, actor, id, Step.ACCEPT)


def verify(platform: Platform, actor: Actor, id: str) -> Contract:
    return take(platform, actor, id, Step.VERIFY)


def suspend(platform: Platform, actor: Actor, id: str, reason: str) -> Contract:
    """Nothing is read until whoever suspended it resumes it."""
    check_text("reason", reason)
    now = platform.clock()

    def change(row: ContractRow, side: Side) -> Mapping[str, Any]:
        try:
            held = life.suspend(row.suspensions, Suspension(side, "asked", reason, now))
        except IllegalStep as wrong:
            raise WrongState(f"contract {id!r}: {wrong}") from None
        return {"suspensions": held}

    return take(platform, actor, id, Step.SUSPEND, {"code": "asked", "reason": reason}, change)


def terminate(platform: Platform, actor: Actor, id: str, reason: str) -> Contract:
    """Ends it at once and for good, whatever its state."""
    check_text("reason", reason)
    return take(platform, actor, id, Step.TERMINATE, {"code": "asked", "reason": reason})


def take(
    platform: Platform,
    actor: Actor,
    id: str,
    step: Step,
    data: Mapping[str, Any] | None = None,
    change: Callable[[ContractRow, Side], Mapping[str, Any]] = lambda row, side: {},
) -> Contract:
    """A step that no law is asked for. Raises NotFound, WrongState."""
    now = platform.clock()

    def apply(tx: Tx) -> Contract:
        row, side = find(tx, actor, id)
        after = advance(tx, row, Taken(step, side, actor.token_id, data or {}), now, **change(row, side))
        return view(tx, after)

    return platform.store.write(apply)


def _talk(platform: Platform, actor: Actor, id: str, step: Step, wanted: Wanted) -> Contract:
    now = platform.clock()
    if wanted.tables is not None:
        checked(platform, wanted.tables)

    def apply(tx: Tx) -> Contract:
        row, side = find(tx, actor, id)
        new = stated(row, wanted, now)
        if wanted.tables is not None:
            if any(ref.partition("/")[0] != row.provider for ref in wanted.tables):
                raise Invalid.at("tables", f"the contract is about tables of {row.provider!r}")
            for grant in tx.contracts.grants([id]):
                tx.persons.forget(grant.id)
            tx.contracts.set_grants(id, granted(platform, tx, id, wanted.tables, now))
        grants = tx.contracts.grants([id])
        taken = Taken(step, side, actor.token_id, said(new, grants))
        return view(tx, advance(tx, new, taken, now))

    return platform.store.write(apply)
