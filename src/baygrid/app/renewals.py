"""Contracts about data in time: renewed by the consumer, warned of and ended by the leader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from baygrid.app import open_data
from baygrid.app.access import Actor
from baygrid.app.contract_steps import DAY_MS, WARN_DAYS, Taken, advance, find, next_look
from baygrid.app.contract_view import Contract, view
from baygrid.app.contracts import found, insert
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.core.data.contracts import Side, State, Step
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow
from baygrid.ports.records import Event
from baygrid.ports.store import Exists, Tx

AT_ONCE: Final = 100


def renew(
    platform: Platform, actor: Actor, id: str, until: Instant | None, once: Once | None = None
) -> Contract:
    """A new contract of the same tables and terms, that follows the old one under the same share. It goes the
    same way again: what the law asks for is asked for anew, nothing recorded is taken over. Raises Invalid,
    NotFound, WrongState."""
    now = platform.clock()

    def work(tx: Tx) -> str:
        row, side = find(tx, actor, id)
        if side is not Side.CONSUMER:
            raise WrongState("a contract is renewed by the consumer's own team")
        return open_data.settle(platform, tx, _renewal(platform, tx, actor, row, until, now), now).id

    def apply(tx: Tx) -> Contract:
        row, _ = find(tx, actor, id)
        made = answered(tx, row.consumer, once, now, lambda: work(tx))
        return view(tx, found(tx, made.answer.body))

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"contract {id!r} is just being renewed: try again") from None


def _renewal(
    platform: Platform, tx: Tx, actor: Actor, old: ContractRow, until: Instant | None, now: Instant
) -> ContractRow:
    if old.state not in (State.FINALIZED, State.TERMINATED):
        raise WrongState(f"contract {old.id!r} is {old.state.value}: there is nothing to renew yet")
    if old.state is State.FINALIZED and old.until is None:
        raise WrongState(f"contract {old.id!r} has no end: there is nothing to renew")
    live = [it for it in tx.contracts.of_share(old.consumer, old.share) if not it.state.final]
    if any(it.id != old.id for it in live):
        raise WrongState(f"share {old.share!r} has another contract already, {live[0].id}")
    start = now if old.state.final else max(now, old.until or now)
    if until is not None and until <= start:
        raise Invalid.at("until", "must be after the end of the contract that is renewed")
    newest = tx.contracts.of_share(old.consumer, old.share)[0]
    new = replace(
        old,
        id=platform.ids.new("contract", now),
        version=0,
        nth=newest.nth + 1,
        start=start,
        until=until,
        state=State.REQUESTED,
        made_at=now,
        made_by=actor.token_id,
        suspensions=(),
        decision=None,
        records={},
        counts=False,
        renews=old.id,
        warned=None,
    )
    grants = [
        replace(it, id=platform.ids.new("grant", now), contract=new.id, shown="", opened=None, closed=None)
        for it in tx.contracts.grants([old.id])
    ]
    return insert(tx, new, grants, actor, now)


def tend(platform: Platform, fence: Callable[[Tx, Instant], None], now: Instant) -> bool:
    """A bounded step of the leader: contracts that have ended, and those that will, each in its own
    transaction. `fence` raises unless it still leads. Returns whether more may be due."""
    due = platform.store.read(lambda tx: tx.contracts.due(now, AT_ONCE))

    for row in due:

        def apply(tx: Tx, id: str = row.id) -> None:
            fence(tx, now)
            row = tx.contracts.get(id)
            if row is not None and row.due is not None and row.due <= now:
                _tend(tx, row, now)

        platform.store.write(apply)
    return len(due) == AT_ONCE


def _tend(tx: Tx, row: ContractRow, now: Instant) -> None:
    if row.until is not None and row.until <= now:
        data = {"code": "expired", "reason": "it has come to its end", "until": row.until}
        advance(tx, row, Taken(Step.TERMINATE, Side.PLATFORM, "", data), now)
        return
    days = _warning(row, now)
    if days is not None:
        data = {"contract": row.id, "days": days, "until": row.until}
        told = [Event(now, "contract-expiring", of, data=data) for of in (row.provider, row.consumer)]
        tx.events.append(told)
    row = replace(row, warned=row.warned if days is None else days)
    tx.contracts.change(replace(row, due=next_look(row, now)))


def _warning(row: ContractRow, now: Instant) -> int | None:
    """The days of WARN_DAYS for which it is to be warned of now: of two that are due only the later. Who has
    just made a short one is not warned of its end."""
    if row.until is None or row.state is not State.FINALIZED:
        return None
    due = [days for days in WARN_DAYS if row.made_at < row.until - days * DAY_MS <= now]
    return due[-1] if due and (row.warned is None or due[-1] < row.warned) else None
