"""Committing a plan: each assignment holds only if the leader's term and the job are still what they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from baygrid.app import deals, jobs
from baygrid.app.borders import Borders
from baygrid.app.changes import Changes
from baygrid.app.clearance import cleared, note_crossings
from baygrid.app.platform import Platform
from baygrid.app.region_image import Waiting
from baygrid.app.releases import settle
from baygrid.app.starts import FORESEEN, written
from baygrid.core.cost import Footprint
from baygrid.core.jobs import checkpoint
from baygrid.core.jobs.lifecycle import Instruction, JobEvent, JobState, step_job
from baygrid.core.placement.plan import Assignment, Preemption, Withdrawal
from baygrid.core.pricing.contracts import Cover, bought
from baygrid.core.pricing.hold import KILL_WAIT_S, hold_at_placement
from baygrid.core.pricing.tariff import within
from baygrid.core.reasons import JSON
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Event, JobRecord, Offer
from baygrid.ports.store import Tx


class Fenced(Exception):
    """Another server leads: nothing of this commit was done."""


def commit(
    platform: Platform,
    term: int,
    holder: str,
    lease_ms: int,
    assignments: Sequence[tuple[Assignment, Waiting]],
    now: Instant,
) -> list[AttemptRecord]:
    """Makes attempts of the assignments whose jobs are as the plan saw them, and for which there is still
    what the plan reckoned with of trades, and whose datasets may go there; the others drop singly. Raises
    Fenced."""

    def apply(tx: Tx) -> list[AttemptRecord]:
        found = tx.jobs.get([assignment.job for assignment, _ in assignments])
        holding = [
            (assignment, waiting, found[assignment.job])
            for assignment, waiting in assignments
            if assignment.job in found and found[assignment.job].version == waiting.version
        ]
        region = platform.catalogue.at(tx)
        offers, places = region.offers, region.centres
        gens = {centre: tx.region.next_gen(centre) for centre in sorted({a.centre for a, _, _ in holding})}
        changes = Changes()
        dealing = any(waiting.demand.deals for _, waiting, _ in holding)
        opened = {it.of: it for it in tx.trading.open()} if dealing else {}
        borders = Borders(tx, region, platform.lists, now)
        attempts = []
        for a, waiting, job in holding:
            if not cleared(borders, changes, job, now):
                continue
            covers = deals.take(tx, opened, waiting.demand, a, now)
            if covers is not None:
                to = (offers[a.offer], a, waiting, job, covers)
                attempts.append(_place(platform, changes, *to, gens[a.centre], term, now))
        tx.attempts.insert(attempts)
        changes.apply(tx)
        settle(tx, (), changes.freed, now)
        for attempt in attempts:
            note_crossings(tx, borders, found[attempt.job], attempt, places[attempt.centre].jurisdiction)
        return attempts

    return _as_leader(platform, term, holder, lease_ms, now, apply)


def make_room(
    platform: Platform,
    term: int,
    holder: str,
    lease_ms: int,
    preemptions: Sequence[Preemption],
    now: Instant,
) -> list[AttemptRecord]:
    """Asks the centres to stop attempts for more urgent jobs. Returns those that are being stopped now.
    Raises Fenced."""
    reasons = {one.attempt: {**one.reason.to_json(), "for": one.job} for one in preemptions}

    def apply(tx: Tx) -> list[AttemptRecord]:
        changes = Changes()
        stopping = jobs.preempt(tx, changes, reasons, now, term)
        changes.apply(tx)
        return stopping

    return _as_leader(platform, term, holder, lease_ms, now, apply)


def withdraw(
    platform: Platform,
    term: int,
    holder: str,
    lease_ms: int,
    withdrawals: Sequence[Withdrawal],
    now: Instant,
) -> list[AttemptRecord]:
    """Asks the centres to give back what only waits there and could start elsewhere. Returns the attempts
    that are asked back now. Raises Fenced."""
    reasons = {one.attempt: one.reason.to_json() for one in withdrawals}

    def apply(tx: Tx) -> list[AttemptRecord]:
        changes = Changes()
        asked = jobs.withdraw(tx, changes, reasons, now, term)
        changes.apply(tx)
        return asked

    return _as_leader(platform, term, holder, lease_ms, now, apply)


def _as_leader(
    platform: Platform,
    term: int,
    holder: str,
    lease_ms: int,
    now: Instant,
    apply: Callable[[Tx], list[AttemptRecord]],
) -> list[AttemptRecord]:
    """In a transaction that holds only if the term is still this holder's."""

    def fenced(tx: Tx) -> list[AttemptRecord]:
        if not tx.leadership.fence(term, holder, now, lease_ms):
            raise Fenced
        return apply(tx)

    return platform.store.write(fenced)


def _place(
    platform: Platform,
    changes: Changes,
    offer: Offer,
    assignment: Assignment,
    waiting: Waiting,
    job: JobRecord,
    covers: tuple[Cover, ...],
    gen: int,
    term: int,
    now: Instant,
) -> AttemptRecord:
    """The attempt of one assignment; its job becomes ACTIVE and its hold what this offer can cost at most."""
    state, instructions = step_job(job.state, JobEvent.PLACE)
    assert state is JobState.ACTIVE
    demand = waiting.demand
    had = (assignment.accelerators, assignment.accelerator_share)
    footprint = Footprint(assignment.count, demand.cpus, demand.memory_mib, *had, job.input_bytes)
    hold, grace = job.hold, checkpoint.of(job.spec).grace
    if Instruction.SHRINK_HOLD in instructions:
        held = Money(job.hold, job.currency)
        rates = within(offer.tariffs, now, now + (demand.time_s + grace + KILL_WAIT_S) * 1000)
        hold = hold_at_placement(rates, footprint, demand.time_s, grace, held, bought(covers)).minor
    changes.held[job.project] += hold - job.hold
    number = job.attempts + 1
    changes.jobs.append(replace(job, state=state, hold=hold, attempts=number))
    attempt = AttemptRecord(
        id=platform.ids.new("att", now),
        job=job.id,
        project=job.project,
        n=number,
        token=platform.ids.secret(),
        centre=assignment.centre,
        partition=assignment.partition,
        offer=assignment.offer,
        nodes=assignment.nodes,
        count=assignment.count,
        cpus=demand.cpus,
        memory_mib=demand.memory_mib,
        accelerator=assignment.accelerator,
        accelerators=assignment.accelerators,
        accelerator_share=assignment.accelerator_share,
        accelerator_slots=assignment.accelerator_slots,
        grace_s=grace,
        placed_at=now,
        reasons=_reasons(assignment, waiting),
        gen=gen,
        covers=covers,
    )
    where = {"partition": attempt.partition, "offer": attempt.offer}
    changes.events.append(
        Event(now, "job-placed", job.project, job.id, attempt.id, attempt.centre, term, where)
    )
    return attempt


def _reasons(assignment: Assignment, waiting: Waiting) -> dict[str, JSON]:
    """Why it is there; and if it waited, when it was foreseen to start."""
    it = assignment.explanation
    if waiting.told is not None:
        data = {**it.outcome.data, FORESEEN: written(waiting.told)}
        it = replace(it, outcome=replace(it.outcome, data=data))
    return it.to_json()
