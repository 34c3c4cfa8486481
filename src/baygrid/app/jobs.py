"""Jobs as their owner sees them, and what an owner or operator may do to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from baygrid.app.access import Action, Actor, permit, visible
from baygrid.app.attempts import end_attempt, running_cost
from baygrid.app.changes import Changes
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, WrongState
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
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Event, JobRecord, Want
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with its attempts (by n) and its money in minor units: `charged` to the project so far, `overrun`
    borne by the platform, `running_cost` of attempts that still run, by attempt."""

    job: JobRecord
    attempts: tuple[AttemptRecord, ...]
    charged: int
    overrun: int
    running_cost: Mapping[str, int]


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
) -> list[JobView]:
    """Newest first. A team sees its own project, an operator any or all."""
    project = project or actor.project
    permit(actor, Action.READ, project=project)
    now = platform.clock()
    return platform.store.read(
        lambda tx: _views(platform, tx, tx.jobs.page(project, states, before, limit), now)
    )


def _views(platform: Platform, tx: Tx, jobs: Iterable[JobRecord], now: Instant) -> list[JobView]:
    records = list(jobs)
    ids = [record.id for record in records]
    attempts: dict[str, list[AttemptRecord]] = {id: [] for id in ids}
    for attempt in tx.attempts.of_jobs(ids):
        attempts[attempt.job].append(attempt)
    charged, overrun = dict.fromkeys(ids, 0), dict.fromkeys(ids, 0)
    for charge in tx.money.charges_of(ids):
        charged[charge.job] += charge.amount
        overrun[charge.job] += charge.overrun
    offers = platform.catalogue.at(tx).offers
    return [
        JobView(
            record,
            tuple(attempts[record.id]),
            charged[record.id],
            overrun[record.id],
            {
                a.id: running_cost(a, offers[a.offer], now)
                for a in attempts[record.id]
                if not a.state.final and a.offer in offers
            },
        )
        for record in records
    ]


def cancel(platform: Platform, actor: Actor, id: str) -> JobView:
    """A waiting job ends at once; an active one when its centre has stopped it. Raises WrongState when it is
    over."""
    now = platform.clock()

    def apply(tx: Tx) -> JobView:
        record = find_job(tx, actor, Action.USE, id)
        try:
            state, instructions = step_job(record.state, JobEvent.CANCEL)
        except IllegalTransition:
            raise WrongState(f"job {id!r} has already ended: it is {record.state.value}") from None
        if Instruction.RELEASE_HOLD in instructions:
            tx.money.move(record.project, held=-record.hold)
            tx.jobs.update([replace(record, state=state, hold=0, ended_at=now, cause="cancelled")])
            tx.events.append([Event(now, "job-cancelled", record.project, id)])
        if Instruction.STOP_ATTEMPT in instructions:
            _stop_attempts(tx, record, now)
        return _views(platform, tx, [tx.jobs.get([id])[id]], now)[0]

    return platform.store.write(apply)


def _stop_attempts(tx: Tx, record: JobRecord, now: Instant) -> None:
    """Asks the centre to stop what runs; asking again changes nothing."""
    for attempt in tx.attempts.of_jobs([record.id]):
        if attempt.state.final or attempt.want is not Want.RUN:
            continue
        state, _ = step_attempt(attempt.state, AttemptEvent.STOP)
        gen = tx.region.next_gen(attempt.centre)
        tx.attempts.update([replace(attempt, state=state, want=Want.STOP, gen=gen, stop_reason="cancelled")])
        tx.events.append(
            [Event(now, "cancel-requested", record.project, record.id, attempt.id, attempt.centre)]
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
    """Attempts become LOST and their jobs end; their centres are told to stop them."""
    jobs = tx.jobs.get([attempt.job for attempt in attempts])
    offers = platform.catalogue.at(tx).offers
    changes = Changes()
    for attempt in sorted(attempts, key=lambda a: a.centre):
        gen = tx.region.next_gen(attempt.centre)
        lost = replace(
            attempt, want=Want.STOP, gen=gen, stop_reason="lost", cause="lost", detail=why, ended_at=now
        )
        end_attempt(platform, changes, offers, lost, jobs[attempt.job], AttemptState.LOST, (), now)
    changes.apply(tx)
