"""The end of an attempt: its job's new state, its charges and its hold, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from baygrid.app.changes import Changes
from baygrid.app.charging import Due, voucher_of
from baygrid.app.costs import prices
from baygrid.app.platform import Platform
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.lifecycle import (
    AttemptEvent,
    AttemptState,
    Instruction,
    JobEvent,
    JobState,
    step_attempt,
    step_job,
)
from baygrid.core.jobs.retry import pause_s
from baygrid.core.jobs.spared import not_charged
from baygrid.core.jobs.spec import parse
from baygrid.core.pricing.contracts import Use
from baygrid.core.units import format_duration
from baygrid.ports.basics import Instant
from baygrid.ports.messages import WITHDRAWN
from baygrid.ports.records import AttemptRecord, Event, JobRecord, Offer
from baygrid.ports.trading import Return
from baygrid.ports.usage import ChargeRow, UsageRow

CANCELLED = "cancelled"
PREEMPTED = "preempted"
MONEY = "money"
BARRED = "barred"
"""Why we stop an attempt (`AttemptRecord.stop_reason`), where that decides what becomes of its job;
`WITHDRAWN` is another."""


def end_attempt(
    platform: Platform,
    changes: Changes,
    offers: Mapping[str, Offer],
    attempt: AttemptRecord,
    job: JobRecord,
    state: AttemptState,
    usage: Sequence[UsageRow],
    now: Instant,
) -> None:
    """Makes `attempt` final (its other new fields are already in it) and does what the tables ask for: its
    job ends, or goes back to the queue with a new hold. After `changes` are applied, `releases.settle` is
    due."""
    event = AttemptEvent.LOSE if state is AttemptState.LOST else AttemptEvent(state.value)
    after, job_events = step_attempt(attempt.state, event)
    changes.attempts.append(replace(attempt, state=after))
    changes.events.append(attempt_event(now, attempt, after, cause=attempt.cause))
    ended = replace(attempt, state=after)
    for job_event in job_events:
        _follow(platform, changes, offers, ended, job, job_event, usage, now)


def _follow(
    platform: Platform,
    changes: Changes,
    offers: Mapping[str, Offer],
    attempt: AttemptRecord,
    job: JobRecord,
    event: JobEvent,
    usage: Sequence[UsageRow],
    now: Instant,
) -> None:
    """What the end of its attempt means for a job."""
    charged, spared = 0, not_charged(attempt.state, attempt.cause, attempt.outputs)
    drew: dict[str, Use] = {}
    if Instruction.CHARGE in step_job(job.state, event)[1] and spared is None:
        charged, drew = post_charges(platform, changes, offers[attempt.offer], attempt, job, usage, now)
    changes.returns += _returns(attempt, drew)
    job = replace(job, asked=_asked_next(job, charged))
    if _is_tried_again(job, attempt):
        event = JobEvent.RETRY
    state, instructions = step_job(job.state, event)
    assert Instruction.RELEASE_HOLD in instructions, "whatever an attempt held is over with it"
    changes.held[job.project] -= job.hold
    data: dict[str, Any] = {"cause": attempt.cause, "exit_code": attempt.exit_code, "charge": charged}
    if spared is not None:
        data["not_charged"] = spared
    if Instruction.TAKE_HOLD in instructions:
        retries = job.retries + (event is JobEvent.RETRY)
        told = Event(now, "job-requeued", job.project, job.id, attempt.id, attempt.centre, data=data)
        kept = attempt.outputs.get(OUTPUT, job.checkpoint) if left_checkpoint(attempt) else job.checkpoint
        waited_at = f"{attempt.centre}/{attempt.partition}" if attempt.cause == WITHDRAWN else ""
        again = replace(job, state=state, hold=0, retries=retries, checkpoint=kept, waited_at=waited_at)
        pause = pause_s(attempt.state, attempt.cause, job.retries) if event is JobEvent.RETRY else 0
        if pause:
            said = attempt.cause or attempt.state.value.lower()
            why = f"attempt {attempt.n} ended: {said}; tried again after {format_duration(pause)}"
            again = replace(again, not_before=now + pause * 1000, detail=why)
        changes.queued.append((again, told))
        return
    ended = replace(
        job,
        state=state,
        hold=0,
        ended_at=attempt.ended_at or now,
        cause=None if state is JobState.SUCCEEDED else attempt.cause,
        detail=attempt.detail,
        exit_code=attempt.exit_code,
    )
    changes.jobs.append(ended)
    kind = f"job-{state.value.lower()}"
    changes.events.append(Event(now, kind, job.project, job.id, attempt.id, attempt.centre, data=data))


def left_checkpoint(attempt: AttemptRecord) -> bool:
    """Whether what it published is no result but what its next attempt goes on from. One that was stopped for
    want of money has no next one: its checkpoint is for its user to fetch."""
    return attempt.state is AttemptState.PREEMPTED or attempt.cause == "interrupted"


def _asked_next(job: JobRecord, charged: int) -> int:
    """What another attempt would have to hold. `max_cost` is for all attempts together."""
    limited = "max_cost" in job.spec.get("budget", ())
    return max(0, job.asked - charged) if limited else job.asked


def _is_tried_again(job: JobRecord, attempt: AttemptRecord) -> bool:
    """Never after somebody cancelled it, nor where `max_cost` leaves less than such an attempt may cost."""
    if "retry" not in job.spec or attempt.stop_reason == CANCELLED or job.asked < job.hold:
        return False
    return parse(job.spec).retry.after(attempt.state, attempt.cause, job.retries)


def post_charges(
    platform: Platform,
    changes: Changes,
    offer: Offer,
    attempt: AttemptRecord,
    job: JobRecord,
    usage: Sequence[UsageRow],
    now: Instant,
) -> tuple[int, dict[str, Use]]:
    """Charges each usage record by the tariffs of its time and what the attempt took of trades. What lies
    above the job's hold, and above what is held for commitments, falls to the platform. Returns what fits, in
    minor units: the project pays it, vouchers a share of it; and what was used of each trade."""
    left, paid = job.hold, 0
    drew: dict[str, Use] = {}
    records = sorted((row.signed.usage for row in usage), key=lambda record: record.n)
    for record, covered in zip(records, prices(records, offer, attempt.covers), strict=True):
        cost = covered.charge
        within = min(left, cost.total.minor - covered.ahead)
        left -= within
        within += covered.ahead
        paid += within
        changes.held[job.project] -= covered.ahead
        for use in covered.uses:
            drew[use.of] = use + drew[use.of] if use.of in drew else use
        charge = ChargeRow(
            attempt.id,
            record.n,
            job.id,
            job.project,
            attempt.centre,
            offer.id,
            now,
            job.currency,
            [line.to_json() for line in cost.lines],
            within,
            cost.total.minor - within,
            platform.ids.new("txn", now) if cost.total.minor else "",
            covers=[cover.to_json() for cover in covered.covers],
        )
        narration = f"job {job.name} ({job.id}) at {attempt.centre}"
        changes.dues.append(Due(charge, narration, record.start, record.end, voucher_of(job.spec)))
    return paid, drew


def _returns(attempt: AttemptRecord, drew: Mapping[str, Use]) -> list[Return]:
    """What it took of trades, with what it used of it. What is not charged is not drawn either."""
    nothing = Use("")
    uses = [(cover, drew.get(cover.of, nothing)) for cover in attempt.covers]
    return [Return(it.of, it.kind, it.units, it.worth, use.worth, use.ahead) for it, use in uses]


def attempt_event(now: Instant, attempt: AttemptRecord, state: AttemptState, **data: object) -> Event:
    """That an attempt entered `state`."""
    return Event(
        now,
        f"attempt-{state.value.lower()}",
        attempt.project,
        attempt.job,
        attempt.id,
        attempt.centre,
        data={key: value for key, value in data.items() if value is not None},
    )
