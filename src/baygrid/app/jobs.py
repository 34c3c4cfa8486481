"""Jobs as their owner sees them, and what an owner or operator may do to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baygrid.app.access import Action, Actor, permit, visible
from baygrid.app.attempts import CANCELLED, MONEY, PREEMPTED, end_attempt
from baygrid.app.changes import Changes
from baygrid.app.costs import running_cost
from baygrid.app.limits import Held, limit_of
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, WrongState
from baygrid.app.releases import settle
from baygrid.core.jobs.lifecycle import (
    AttemptEvent,
    AttemptState,
    IllegalTransition,
    Instruction,
    JobEvent,
    JobState,
    step_attempt,
    step_job,
)
from baygrid.core.jobs.spec import parse
from baygrid.ports.basics import Instant
from baygrid.ports.messages import WITHDRAWN
from baygrid.ports.records import AttemptRecord, Event, JobRecord, Want
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with its attempts (by n) and its money in minor units: `charged` to the project so far, `overrun`
    borne by the platform, `cost` by attempt: what has ended was charged, what runs costs so by the clock;
    `supported`: what vouchers paid besides."""

    job: JobRecord
    attempts: tuple[AttemptRecord, ...]
    charged: int
    overrun: int
    cost: Mapping[str, int]
    supported: int


def find_job(tx: Tx, actor: Actor, action: Action, id: str) -> JobRecord:
    """The job, if this actor may do this to it. Raises NotFound, also for another project's job."""
    record = tx.jobs.get([id]).get(id)
    if record is None:
        permit(actor, action, project=actor.project)
        raise NotFound(f"there is no job {id!r}")
    visible(actor, action, record.project, "job", id)
    return record


def job(platform: Platform, actor: Actor, id: str) -> JobView:
    now = platform.clock()

    def load(tx: Tx) -> JobView:
        return _views(platform, tx, [find_job(tx, actor, Action.READ, id)], now)[0]

    return platform.store.read(load)


def page(
    platform: Platform,
    actor: Actor,
    *,
    project: str | None,
    states: Sequence[JobState],
    before: str | None,
    limit: int,
    array: str | None = None,
) -> list[JobView]:
    """Newest first. A team sees its own project, an operator any or all. `array`: only its elements; "none":
    only jobs that are no elements."""
    project = project or actor.project
    permit(actor, Action.READ, project=project)
    now = platform.clock()
    return platform.store.read(
        lambda tx: _views(platform, tx, tx.jobs.page(project, states, before, limit, array), now)
    )


def _views(platform: Platform, tx: Tx, jobs: Iterable[JobRecord], now: Instant) -> list[JobView]:
    records = list(jobs)
    ids = [record.id for record in records]
    attempts: dict[str, list[AttemptRecord]] = {id: [] for id in ids}
    for attempt in tx.attempts.of_jobs(ids):
        attempts[attempt.job].append(attempt)
    charged, overrun, supported = (dict.fromkeys(ids, 0) for _ in range(3))
    cost: dict[str, int] = {}
    for charge in tx.money.charges_of(ids):
        charged[charge.job] += charge.amount
        overrun[charge.job] += charge.overrun
        supported[charge.job] += charge.supported
        cost[charge.attempt] = cost.get(charge.attempt, 0) + charge.amount
    offers = platform.catalogue.at(tx).offers
    return [
        JobView(
            record,
            tuple(attempts[record.id]),
            charged[record.id],
            overrun[record.id],
            {
                a.id: cost.get(a.id, 0)
                if a.state.final or a.offer not in offers
                else running_cost(a, offers[a.offer], now)
                for a in attempts[record.id]
            },
            supported[record.id],
        )
        for record in records
    ]


def cancel(platform: Platform, actor: Actor, id: str) -> JobView:
    """A waiting job ends at once; an active one when its centre has stopped it. Raises WrongState when it is
    over."""
    now = platform.clock()

    def apply(tx: Tx) -> JobView:
        record = find_job(tx, actor, Action.USE, id)
        changes = Changes()
        try:
            cancel_in(tx, changes, [record], now)
        except IllegalTransition:
            raise WrongState(f"job {id!r} has already ended: it is {record.state.value}") from None
        changes.apply(tx)
        settle(tx, changes.jobs, changes.freed, now)
        return _views(platform, tx, [tx.jobs.get([id])[id]], now)[0]

    return platform.store.write(apply)


def cancel_in(tx: Tx, changes: Changes, records: Sequence[JobRecord], now: Instant) -> None:
    """Raises IllegalTransition for one that has ended."""
    active: list[str] = []
    for record in records:
        state, instructions = step_job(record.state, JobEvent.CANCEL)
        if Instruction.STOP_ATTEMPT in instructions:
            active.append(record.id)
        if Instruction.RELEASE_HOLD in instructions:
            changes.held[record.project] -= record.hold
            changes.jobs.append(replace(record, state=state, hold=0, ended_at=now, cause=CANCELLED))
            changes.events.append(Event(now, "job-cancelled", record.project, record.id))
    for attempt in tx.attempts.of_jobs(active):
        ask_to_stop(tx, changes, attempt, CANCELLED, Event(now, "cancel-requested"))


def preempt(
    tx: Tx, changes: Changes, reasons: Mapping[str, Mapping[str, Any]], now: Instant, term: int
) -> list[AttemptRecord]:
    """The leader takes attempts off their places, each with its reason: their centres are asked to stop them,
    and their jobs go back to the queue when they have. One that has ended, or is being stopped, is left out.
    Returns the new rows, which are in `changes`."""
    found = tx.attempts.get(sorted(reasons))
    for id, attempt in sorted(found.items(), key=lambda item: item[1].centre):
        if attempt.want is Want.RUN:
            asked = Event(now, "preempt-requested", term=term, data={"reason": dict(reasons[id])})
            ask_to_stop(tx, changes, attempt, PREEMPTED, asked)
    return [attempt for attempt in changes.attempts if attempt.id in reasons]


def withdraw(
    tx: Tx, changes: Changes, reasons: Mapping[str, Mapping[str, Any]], now: Instant, term: int
) -> list[AttemptRecord]:
    """The leader takes attempts back that their centres keep waiting, each with its reason. They stay as they
    are until the centre says that they never began (or that they have); what does not wait any more is left
    out. Returns the new rows, which are in `changes`."""
    found = tx.attempts.get(sorted(reasons))
    for id, attempt in sorted(found.items(), key=lambda item: item[1].centre):
        if attempt.want is Want.RUN and attempt.state is AttemptState.WAITING:
            gen = tx.region.next_gen(attempt.centre)
            changes.attempts.append(replace(attempt, want=Want.STOP, gen=gen, stop_reason=WITHDRAWN))
            changes.events.append(
                Event(
                    now,
                    "withdraw-requested",
                    attempt.project,
                    attempt.job,
                    attempt.id,
                    attempt.centre,
                    term,
                    {"reason": dict(reasons[id])},
                )
            )
    return list(changes.attempts)


def stop_for_money(
    platform: Platform, tx: Tx, due: Sequence[str], now: Instant, term: int
) -> list[AttemptRecord]:
    """The leader stops attempts before they cost more than their hold, each with its job's signal and grace;
    their jobs end then. Returns the new rows of those for which that still holds."""
    found = tx.attempts.get(due)
    jobs = tx.jobs.get(sorted({attempt.job for attempt in found.values()}))
    offers, changes = platform.catalogue.at(tx).offers, Changes()
    for attempt in sorted(found.values(), key=lambda attempt: attempt.centre):
        job = jobs[attempt.job]
        held = Held(job.hold, parse(job.spec).time, job.input_bytes)
        at = limit_of(attempt, offers[attempt.offer], held)
        if at is not None and at <= now:
            cost = running_cost(attempt, offers[attempt.offer], now)
            data = {"hold": job.hold, "cost": cost, "currency": job.currency}
            ask_to_stop(tx, changes, attempt, MONEY, Event(now, "money-stop-requested", term=term, data=data))
    changes.apply(tx)
    return changes.attempts


def ask_to_stop(tx: Tx, changes: Changes, attempt: AttemptRecord, reason: str, asked: Event) -> None:
    """Asks the centre to stop what runs; asking again changes nothing. A user's word counts more than the
    scheduler's, so what is being preempted can still be cancelled."""
    if attempt.state.final or attempt.want is Want.NOTHING or attempt.stop_reason in (reason, CANCELLED):
        return
    state, _ = step_attempt(attempt.state, AttemptEvent.STOP)
    gen = tx.region.next_gen(attempt.centre)
    changes.attempts.append(replace(attempt, state=state, want=Want.STOP, gen=gen, stop_reason=reason))
    changes.events.append(
        replace(asked, project=attempt.project, job=attempt.job, attempt=attempt.id, centre=attempt.centre)
    )


def declare_lost(platform: Platform, actor: Actor, attempt: str) -> JobView:
    """An operator decides that a centre will not answer for this attempt any more. It is not charged, and
    what still runs of it is stopped when the centre comes back."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> JobView:
        record = tx.attempts.get([attempt]).get(attempt)
        if record is None:
            raise NotFound(f"there is no attempt {attempt!r}")
        if record.state.final:
            raise WrongState(f"attempt {attempt!r} has already ended: it is {record.state.value}")
        lose(platform, tx, [record], "an operator decided so", now)
        return _views(platform, tx, [tx.jobs.get([record.job])[record.job]], now)[0]

    return platform.store.write(apply)


def lose(platform: Platform, tx: Tx, attempts: Sequence[AttemptRecord], why: str, now: Instant) -> None:
    """Attempts become LOST, and their jobs end or are tried again; their centres are told to stop them."""
    jobs = tx.jobs.get([attempt.job for attempt in attempts])
    offers = platform.catalogue.at(tx).offers
    changes = Changes()
    for attempt in sorted(attempts, key=lambda a: a.centre):
        gen = tx.region.next_gen(attempt.centre)
        reason = CANCELLED if attempt.stop_reason == CANCELLED else "lost"
        lost = replace(
            attempt, want=Want.STOP, gen=gen, stop_reason=reason, cause="lost", detail=why, ended_at=now
        )
        end_attempt(platform, changes, offers, lost, jobs[attempt.job], AttemptState.LOST, (), now)
    changes.apply(tx)
    settle(tx, changes.jobs, changes.freed, now)
