"""Where the law is asked: agreeing, finalising, recording what was done, and resuming what was stopped.

The tables are read before the transaction that decides, the exporter is locked in it: of two contracts that
would reach a threshold together one comes second, and is judged with the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from baygrid.app.access import Actor
from baygrid.app.contract_steps import Taken, advance, find, loaded, opened, refused, stepped
from baygrid.app.contract_terms import check_text
from baygrid.app.contract_view import Contract, view
from baygrid.app.crossing import ANONYMOUS, Answer, Crossing, answer, standing
from baygrid.app.persons import counts_at_all, exporter_of, moved, note
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.core.data import contracts as life
from baygrid.core.data.contracts import IllegalStep, Side, State, Step
from baygrid.core.data.permission import Record, outside, undecided, unlawful
from baygrid.core.days import day_of
from baygrid.core.reading import format_instant
from baygrid.core.reasons import Reason
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, ExporterRow
from baygrid.ports.store import Tx

SHA256: Final = 64
"""Hex characters."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A contract with the law's answer, in the transaction that decides by it. `counts`: where they were
    asked for. `exporter`: locked, where its persons may be asked for."""

    it: Crossing
    answer: Answer
    counts: tuple[int, int] | None
    exporter: ExporterRow | None


def agree(platform: Platform, actor: Actor, id: str) -> Contract:
    """The provider agrees. The law is asked: what it prohibits, and what it cannot decide, is not agreed; the
    answer says which fact is missing. Raises NotFound, WrongState, Unreadable."""
    _before(platform, actor, id, Step.AGREE)
    note(platform, id)
    now = platform.clock()

    def apply(tx: Tx, row: ContractRow, side: Side, law: _Judged) -> ContractRow | Reason:
        reason = undecided(law.answer.law, row.choice)
        if reason is not None:
            return reason
        data = {"decision": law.answer.document}
        taken = Taken(Step.AGREE, side, actor.token_id, data)
        return advance(tx, row, taken, now, decision=law.answer.document)

    return _gate(platform, actor, id, Step.AGREE, now, apply)


def finalize(platform: Platform, actor: Actor, id: str) -> Contract:
    """From now on it can be read, if all that the law wants before the first byte is recorded. Raises
    NotFound, WrongState, Unreadable."""
    _before(platform, actor, id, Step.FINALIZE)
    note(platform, id)
    _warm(platform, id)
    now = platform.clock()

    def apply(tx: Tx, row: ContractRow, side: Side, law: _Judged) -> ContractRow | Reason:
        reason = _in_the_way(law, now)
        if reason is not None:
            return reason
        return _open(platform, tx, law, Taken(Step.FINALIZE, side, actor.token_id, {}), now)

    return _gate(platform, actor, id, Step.FINALIZE, now, apply)


def resume(platform: Platform, actor: Actor, id: str) -> Contract:
    """Lifts the actor's own suspension; else the platform's, if the law lets it be read again."""
    _before(platform, actor, id, Step.RESUME)
    note(platform, id)
    _warm(platform, id)
    now = platform.clock()

    def apply(tx: Tx, row: ContractRow, side: Side, law: _Judged) -> ContractRow | Reason:
        try:
            held = life.resume(row.suspensions, side)
        except IllegalStep as wrong:
            raise WrongState(f"contract {id!r}: {wrong}") from None
        lifts = not any(it.side is Side.PLATFORM for it in held)
        reason = _in_the_way(law, now) if lifts else None
        if reason is not None:
            return reason
        taken = Taken(Step.RESUME, side, actor.token_id, {})
        if held:
            return advance(tx, row, taken, now, suspensions=held)
        return _open(platform, tx, law, taken, now)

    return _gate(platform, actor, id, Step.RESUME, now, apply)


def record(platform: Platform, actor: Actor, id: str, obligation: str, new: Record) -> Contract:
    """Somebody answers for it that an obligation was met. What only the law had stopped goes on, where that
    was what it waited for. Raises Invalid, NotFound, WrongState."""
    now = platform.clock()
    _check(new, day_of(now))
    _warm(platform, id)

    def apply(tx: Tx, row: ContractRow, side: Side, law: _Judged) -> ContractRow | Reason:
        known = [it.id for it in law.answer.law.obligations]
        known += [ANONYMOUS] if law.it.figures_only else []
        if obligation not in known:
            raise Invalid.at(
                "obligation", f"is none of this contract: those are {', '.join(known) or 'none'}"
            )
        data = {"obligation": obligation, "record": new.to_json()}
        records = {**row.records, obligation: new}
        taken = Taken(Step.RECORD, side, actor.token_id, data)
        after = advance(tx, row, taken, now, records=records)
        return _lifted(platform, tx, after, law, now)

    return _gate(platform, actor, id, Step.RECORD, now, apply)


def _gate(
    platform: Platform,
    actor: Actor,
    id: str,
    step: Step,
    now: Instant,
    work: Callable[[Tx, ContractRow, Side, _Judged], ContractRow | Reason],
) -> Contract:
    """One transaction: the exporter locked where persons may count, the contract, the law, then `work`. A
    Reason changes nothing but the audit."""
    today = day_of(now)

    def apply(tx: Tx) -> Contract | Reason:
        row, side = find(tx, actor, id)
        exporter = None
        if counts_at_all(loaded(tx, row)):
            exporter = exporter_of(platform, tx, row.exporter)
            row, side = find(tx, actor, id)  # as it is now that nobody else of that exporter goes on
        stepped(row, step, side)
        it = loaded(tx, row)
        version = None if exporter is None else exporter.version
        said, counts = platform.lawful.judged(tx, it, version, today)
        done = work(tx, row, side, _Judged(it, said, counts, exporter))
        if isinstance(done, Reason):
            data = {
                "step": step.value,
                "by": actor.token_id,
                "reason": done.to_json(),
                "decision": said.document,
            }
            tx.audit.append(now, "contract-refused", data, contract=id, project=actor.project)
            return done
        return view(tx, done)

    done = platform.store.write(apply)
    if isinstance(done, Reason):
        raise refused(done)
    return done


def _in_the_way(law: _Judged, now: Instant) -> Reason | None:
    row, pilot = law.it.row, standing(law.it).pilot
    if row.until is not None and row.until <= now:
        return Reason("contract-expired", f"the contract ended at {format_instant(row.until)}: renew it")
    return unlawful(law.answer.law, row.choice, row.records, day_of(now)) or (
        None if pilot is None else outside(pilot, row.scope, now)
    )


def _open(platform: Platform, tx: Tx, law: _Judged, taken: Taken, now: Instant) -> ContractRow:
    """Its grants are readable from now on, and their persons count where the law counts them."""
    row = law.it.row
    for grant in law.it.grants:
        tx.contracts.change_grant(opened(grant, now))
    counts = law.answer.counts
    after = advance(tx, row, taken, now, suspensions=(), decision=law.answer.document, counts=counts)
    if counts and law.exporter is not None:
        moved(platform, tx, law.exporter, after, now, law.counts)
    return after


def _lifted(platform: Platform, tx: Tx, row: ContractRow, before: _Judged, now: Instant) -> ContractRow:
    """The contract without the platform's suspension, if it has one and the law has nothing more against
    it."""
    if row.state is not State.FINALIZED or not any(it.side is Side.PLATFORM for it in row.suspensions):
        return row
    it = loaded(tx, row)
    said = answer(it, day_of(now), lambda: before.counts, platform.lists)
    law = replace(before, it=it, answer=said)
    if _in_the_way(law, now) is not None:
        return row
    held = tuple(it for it in row.suspensions if it.side is not Side.PLATFORM)
    taken = Taken(Step.RESUME, Side.PLATFORM, "", {"code": "recorded"})
    if held:
        return advance(tx, row, taken, now, suspensions=held)
    return _open(platform, tx, law, taken, now)


def _before(platform: Platform, actor: Actor, id: str, step: Step) -> None:
    """That the step is possible at all, before tables are read for it."""

    def look(tx: Tx) -> None:
        row, side = find(tx, actor, id)
        stepped(row, step, side)

    platform.store.read(look)


def _warm(platform: Platform, id: str) -> None:
    """Counts ahead, outside of the transaction that others wait for."""
    today = day_of(platform.clock())

    def look(tx: Tx) -> None:
        row = tx.contracts.get(id)
        if row is not None:
            platform.lawful.warm(tx, loaded(tx, row), today)

    platform.store.read(look)


def _check(new: Record, today: date) -> None:
    """Raises Invalid."""
    check_text("by", new.by)
    if (new.sha256 is None) == (new.reference is None):
        raise Invalid.at("document", "give its SHA-256, or a reference by which it is found")
    if new.sha256 is not None and (len(new.sha256) != SHA256 or set(new.sha256) - set("0123456789abcdef")):
        raise Invalid.at("sha256", f"must be {SHA256} characters of 0-9 and a-f")
    if new.reference is not None:
        check_text("reference", new.reference)
    if new.day > today:
        raise Invalid.at("day", f"{new.day} has not come: record it when it is done")
