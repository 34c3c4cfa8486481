"""What follows from the end of a job, in the same transaction: jobs that waited for it, the next of its
array, and jobs of its project for which there was no money. And what follows from time alone: who has backed
off long enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from baygrid.app.changes import Changes
from baygrid.core.jobs.lifecycle import JobEvent, JobState, step_job
from baygrid.ports.basics import Instant
from baygrid.ports.records import ArrayRecord, Event, Held, JobRecord
from baygrid.ports.store import Tx

RESTED_AT_ONCE = 1000
SHORT_AT_ONCE = 100
"""So many jobs that lack money go on, oldest first, each time that some may have become free."""


def settle(tx: Tx, ended: Iterable[JobRecord], funded: Iterable[str], now: Instant) -> None:
    """`ended`: jobs that became final in this transaction, already written. `funded`: projects that may have
    more free money than before."""
    projects = set(funded)
    arrays: dict[str, ArrayRecord] = {}
    batch = [job for job in ended if job.state.final]
    while batch:
        projects |= {job.project for job in batch}
        outcomes = {job.id: job.state is JobState.SUCCEEDED for job in batch}
        for array in sorted({job.array for job in batch if job.array is not None}):
            states = [job.state for job in batch if job.array == array]
            failed = sum(state is not JobState.SUCCEEDED for state in states)
            row = arrays[array] = tx.arrays.count_down(array, len(states), failed)
            if row.left == 0:
                outcomes[array] = row.failed == 0
        batch = _tell_waiters(tx, outcomes, arrays, now)
    for project in sorted(projects):
        _fund(tx, project, now)
    for _, row in sorted(arrays.items()):
        if row.left and not row.waits_for:
            _fill(tx, row, now)


def _tell_waiters(
    tx: Tx, outcomes: Mapping[str, bool], arrays: dict[str, ArrayRecord], now: Instant
) -> list[JobRecord]:
    """Who waited for these goes on, or is cancelled: returned are those. `arrays`: gets those that go on."""
    waiters = tx.jobs.waiters(list(outcomes))
    if not waiters:
        return []
    changes = Changes()
    for row in tx.arrays.get(waiters).values():
        if outcomes.keys().isdisjoint(row.waits_for):
            continue
        failed = _failed(row.waits_for, outcomes)
        left = () if failed else _left(row.waits_for, outcomes)
        changed = replace(row, waits_for=left)
        tx.arrays.update(changed)
        if failed:
            for job in tx.jobs.open_in(row.id):
                _cancel(changes, job, failed, now)
        elif not left:
            arrays[row.id] = changed
            for job in tx.jobs.held_in(row.id, Held.AFTER, row.parallel):
                _release(changes, job, now)
    for job in tx.jobs.get(waiters).values():
        if job.state is not JobState.HELD or outcomes.keys().isdisjoint(job.waits_for):
            continue
        failed = _failed(job.waits_for, outcomes)
        if failed:
            _cancel(changes, job, failed, now)
        elif left := _left(job.waits_for, outcomes):
            changes.jobs.append(replace(job, waits_for=left))
        else:
            _release(changes, job, now)
    changes.apply(tx)
    return [job for job in changes.jobs if job.state.final]


def end_back_off(tx: Tx, now: Instant) -> int:
    """Queues those whose time to wait has passed; they hold their money. Returns how many."""
    changes = Changes()
    for job in tx.jobs.rested(now, RESTED_AT_ONCE):
        _release(changes, job, now)
    changes.apply(tx)
    return len(changes.jobs)


def _failed(waits_for: Collection[str], outcomes: Mapping[str, bool]) -> str:
    """One of those that did not succeed, or ""."""
    return next((id for id in waits_for if not outcomes.get(id, True)), "")


def _left(waits_for: Iterable[str], outcomes: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(id for id in waits_for if id not in outcomes)


def _release(changes: Changes, job: JobRecord, now: Instant) -> None:
    """It holds its money since it was submitted."""
    state, _ = step_job(job.state, JobEvent.RELEASE)
    changes.jobs.append(replace(job, state=state, cause=None, detail="", waits_for=(), not_before=None))
    changes.events.append(_released(job, now))


def _cancel(changes: Changes, job: JobRecord, failed: str, now: Instant) -> None:
    state, _ = step_job(job.state, JobEvent.CANCEL)
    detail = f"{failed} did not succeed"
    changes.held[job.project] -= job.hold
    changes.jobs.append(replace(job, state=state, hold=0, ended_at=now, cause="dependency", detail=detail))
    data = {"cause": "dependency", "failed": failed}
    changes.events.append(Event(now, "job-cancelled", job.project, job.id, data=data))


def _fund(tx: Tx, project: str, now: Instant) -> None:
    """Oldest first; where the money does not suffice for one it may for a later one. Each turn ends with less
    money, so that the next one finds what fits that."""
    left = SHORT_AT_ONCE
    while left and (paid := _pay(tx, tx.jobs.short_of_money(project, now, left), now)):
        left -= paid


def _pay(tx: Tx, jobs: Sequence[JobRecord], now: Instant) -> int:
    """How many of them there was money for."""
    released: list[JobRecord] = []
    events: list[Event] = []
    for job in jobs:
        if tx.money.move(job.project, at=now, held=job.asked):
            state, _ = step_job(job.state, JobEvent.RELEASE)
            paid = replace(job, state=state, hold=job.asked, cause=None, detail="", not_before=None)
            released.append(paid)
            events.append(_released(job, now))
    if released:
        tx.jobs.update(released)
        tx.events.append(events)
    return len(released)


def _fill(tx: Tx, array: ArrayRecord, now: Instant) -> None:
    """The next elements, as many as the array may have at once. One that lacks money has its place too."""
    room = array.parallel - tx.jobs.busy_in(array.id)
    changes = Changes()
    for job in tx.jobs.held_in(array.id, Held.ARRAY, room) if room > 0 else ():
        state, _ = step_job(job.state, JobEvent.RELEASE)
        changes.queued.append((replace(job, state=state, cause=None), _released(job, now)))
    changes.apply(tx)


def _released(job: JobRecord, now: Instant) -> Event:
    return Event(now, "job-released", job.project, job.id, data={"held_for": job.cause})
