"""The server's side of the agent protocol: take a report, answer what should be.

Everything here may arrive twice, late or out of order. (incarnation, seq) fences old messages; a state
never moves back; what is final is acknowledged again and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from baygrid.app import blobs, clearance, datasets, estimates, inputs, outside
from baygrid.app.access import Action, Actor, permit
from baygrid.app.attempts import BARRED, CANCELLED, MONEY, PREEMPTED, attempt_event, end_attempt
from baygrid.app.changes import Changes
from baygrid.app.declared import check_incarnation, check_report
from baygrid.app.demand import SILENT_MS
from baygrid.app.joining import first_use
from baygrid.app.links import take_links
from baygrid.app.orders import order, stop
from baygrid.app.platform import Platform
from baygrid.app.plausible import (
    NOT_HERE,
    expected,
    implausible,
    misfit,
    more_came_than_there_is,
    not_its_outputs,
    told,
)
from baygrid.app.problems import Forbidden, VersionMismatch, WrongState
from baygrid.app.releases import settle
from baygrid.core.jobs.lifecycle import AttemptEvent, AttemptState, step_attempt
from baygrid.core.jobs.spec import parse
from baygrid.core.reading import is_name
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import (
    CAPABILITIES,
    VERSION,
    WITHDRAWN,
    AttemptReport,
    Desired,
    DriverReport,
    Report,
    ReportAnswer,
    SignedUsage,
)
from baygrid.ports.records import AttemptRecord, CentreRecord, Event, JobRecord, Offer, Want
from baygrid.ports.store import Tx
from baygrid.ports.usage import UsageRow

VERSION_LENGTH = 100
"""Of an engine's version, as it is kept."""
NOTED, NOTED_LENGTH = 20, 300
"""Of what a report says that is not believed, for the centre's operator: so many things, each so long."""


def take_report(platform: Platform, actor: Actor, report: Report) -> ReportAnswer:
    """Stores what an agent says of its centre. Raises WrongState (409) for an older incarnation or seq, and
    Invalid for what no agent of ours says of itself."""
    centre = _own_centre(actor)
    if not VERSION - 1 <= report.version <= VERSION + 1:
        raise VersionMismatch(
            f"this server speaks version {VERSION} of the agent protocol, not {report.version}"
        )
    check_report(report)
    now = platform.clock()
    refused = implausible(report, now)
    others, odd = outside.judged(centre, report, now)
    kept = _kept_outputs(platform, centre, report)

    def apply(tx: Tx) -> ReportAnswer:
        record = _known(tx, centre)
        check_incarnation(report.incarnation, record.incarnation, now)
        if not tx.region.take_report(centre, report.incarnation, report.seq, now):
            raise WrongState(
                "a newer report of this centre is already here",
                incarnation=record.incarnation,
                seq=record.seq,
            )
        if actor.fresh:
            first_use(tx, actor, now)
        changes = Changes()
        _take_inventory(tx, changes, record, report, now)
        wrong = dict(refused) | take_links(tx, changes, centre, report, now)
        closed, stored = _take_attempts(platform, tx, changes, record, report, wrong, kept, now)
        changes.apply(tx)
        settle(tx, changes.jobs, changes.freed, now)
        digest = record.inventory_digest if report.inventory is None else report.inventory_digest
        renew = record.renewing and not actor.fresh
        asked = estimates.exchange(tx, record, report, now)
        tx.outside.insert(others)
        wrong |= odd
        noted = {what[:NOTED_LENGTH]: why[:NOTED_LENGTH] for what, why in sorted(wrong.items())[:NOTED]}
        if noted != record.refused:
            tx.region.set_refused(centre, noted)
        taken = bool(report.outside)
        return ReportAnswer(record.gen, closed, stored, digest, tuple(wrong.items()), renew, asked, taken)

    return platform.store.write(apply)


def _own_centre(actor: Actor) -> str:
    if actor.centre is None:
        raise Forbidden("only a centre's agent may do this")
    permit(actor, Action.AGENT, centre=actor.centre)
    return actor.centre


def _known(tx: Tx, centre: str) -> CentreRecord:
    record = tx.region.centre(centre)
    if record is None:
        raise Forbidden(f"there is no centre {centre!r}")
    return record


def _take_inventory(tx: Tx, changes: Changes, record: CentreRecord, report: Report, now: Instant) -> None:
    if record.seen_at is None or now - record.seen_at > SILENT_MS:
        changes.events.append(Event(now, "centre-joined", centre=record.name))
    if report.inventory is not None and (
        report.inventory_digest != record.inventory_digest or report.public_key != record.public_key
    ):
        tx.region.set_inventory(
            record.name, report.inventory, report.inventory_digest, report.public_key, _told(report.driver)
        )
        changes.events.append(Event(now, "inventory-changed", centre=record.name))


def _told(driver: DriverReport | None) -> DriverReport | None:
    """What we understand of it: an agent may be newer than we are, and say more."""
    if driver is None or not is_name(driver.name):
        return None
    version = driver.version if driver.version.isprintable() else ""
    return DriverReport(
        driver.name, version[:VERSION_LENGTH], tuple(sorted({*driver.capabilities} & CAPABILITIES))
    )


def _take_attempts(
    platform: Platform,
    tx: Tx,
    changes: Changes,
    at: CentreRecord,
    report: Report,
    wrong: dict[str, str],
    kept: Mapping[str, int],
    now: Instant,
) -> tuple[list[str], list[tuple[str, int]]]:
    """Returns the attempts that both sides are done with, and the usage records that are stored. What is in
    `wrong`, and what is found to be, is left out. `kept`: bytes of the outputs that the centre has stored."""
    centre = at.name
    known = tx.attempts.get([item.attempt for item in report.attempts])
    believed = _believed(tx, at, known, report, wrong, now)
    current = [(known[item.attempt], item) for item in believed]
    current = [(record, item) for record, item in current if not _is_over(record)]
    jobs = tx.jobs.get([record.job for record, item in current if item.state.final or item.usage])
    brought = {item.attempt for _, item in current if any(one.usage.egress_bytes for one in item.usage)}
    earlier = _usage_by_attempt(
        tx, [record.id for record, item in current if item.state.final or record.id in brought]
    )
    for record, item in current:
        why = not_its_outputs(jobs[record.job], item, kept) if item.outputs else None
        if why is None and item.attempt in brought:
            before = [row.signed.usage for row in earlier.get(record.id, ())]
            why = more_came_than_there_is(jobs[record.job], item, before)
        if why is not None:
            wrong[item.attempt] = why
    current = [(record, item) for record, item in current if item.attempt not in wrong]
    offers = platform.catalogue.at(tx).offers if jobs else {}
    for record, item in current:
        rows = [_usage_row(centre, record, report.public_key, signed, now) for signed in item.usage]
        changes.usage += rows
        if record.state.final:
            # It was LOST meanwhile: it has now been stopped, its usage is kept and not charged.
            if item.state.final:
                changes.attempts.append(replace(record, want=Want.NOTHING))
                changes.events.append(
                    Event(now, "attempt-fenced", record.project, record.job, record.id, centre)
                )
        elif item.state.final:
            # What is stored under a number stays, so that is what is charged: an agent that lost its journal
            # numbers anew.
            usage = {row.signed.usage.n: row for row in [*rows, *earlier.get(record.id, [])]}
            _end(platform, changes, offers, record, item, jobs[record.job], list(usage.values()), now)
            if _meant(record, item) is AttemptState.SUCCEEDED:
                ended = _observed(record, item)
                datasets.publish(tx, jobs[record.job], ended, kept, at.jurisdiction, now)
        else:
            _advance(tx, changes, record, item, now)
    taken = [item for item in believed if item.attempt not in wrong]
    stored = [(item.attempt, signed.usage.n) for item in taken for signed in item.usage]
    return [item.attempt for item in taken if item.state.final], stored


def _believed(
    tx: Tx,
    at: CentreRecord,
    known: Mapping[str, AttemptRecord],
    report: Report,
    wrong: dict[str, str],
    now: Instant,
) -> list[AttemptReport]:
    """What may be true of attempts of this centre; why the others may not is entered into `wrong`. An attempt
    that this store does not know (restored from a backup?) is left running and unacknowledged."""
    for item in report.attempts:
        record = known.get(item.attempt)
        if record is None or record.token != item.token or record.centre != at.name:
            wrong.setdefault(item.attempt, NOT_HERE)
    items = [item for item in report.attempts if item.attempt not in wrong]
    stored = _usage_by_attempt(tx, [item.attempt for item in items if item.usage])
    for item in items:
        usage = [row.signed.usage for row in stored.get(item.attempt, ())]
        why = misfit(known[item.attempt], item, usage, at.inventory, now)
        if why is not None:
            wrong[item.attempt] = why
    return [item for item in items if item.attempt not in wrong]


def _is_over(record: AttemptRecord) -> bool:
    return record.state.final and record.want is Want.NOTHING


def _kept_outputs(platform: Platform, centre: str, report: Report) -> dict[str, int]:
    """Outside any transaction, since the object store may take time."""
    named = {sha256 for item in report.attempts if item.state.final for sha256 in item.outputs.values()}
    found = {sha256: blobs.size_of_centres(platform, centre, sha256) for sha256 in named}
    return {sha256: size for sha256, size in found.items() if size is not None}


def _usage_by_attempt(tx: Tx, attempts: Sequence[str]) -> Mapping[str, list[UsageRow]]:
    rows: dict[str, list[UsageRow]] = {}
    for row in tx.money.usage_of(attempts) if attempts else ():
        rows.setdefault(row.signed.usage.attempt, []).append(row)
    return rows


def _usage_row(
    centre: str, record: AttemptRecord, public_key: str, signed: SignedUsage, now: Instant
) -> UsageRow:
    return UsageRow(centre, record.project, record.job, public_key, signed, now)


def _observed(record: AttemptRecord, item: AttemptReport) -> AttemptRecord:
    return replace(
        record,
        raw=told(item.raw),
        started_at=item.started_at if item.started_at is not None else record.started_at,
        ended_at=item.ended_at,
        exit_code=item.exit_code,
        cause=item.cause,
        detail=told(item.detail),
        outputs=dict(item.outputs),
        nodes=item.nodes or record.nodes,
        staged_bytes=item.staged_bytes or record.staged_bytes,
        staging_bytes=record.staging_bytes if item.staging_bytes is None else item.staging_bytes,
        log_end=item.log_size,
        expected_at=None,
    )


def _end(
    platform: Platform,
    changes: Changes,
    offers: Mapping[str, Offer],
    record: AttemptRecord,
    item: AttemptReport,
    job: JobRecord,
    usage: Sequence[UsageRow],
    now: Instant,
) -> None:
    if record.started_at is None and item.started_at is not None:
        # It began and ended between two reports: the stream tells both.
        changes.events.append(attempt_event(now, record, AttemptState.RUNNING, started_at=item.started_at))
    state = _meant(record, item)
    final = replace(_observed(record, item), want=Want.NOTHING)
    if state is AttemptState.PREEMPTED and record.stop_reason == WITHDRAWN and final.started_at is None:
        final = replace(final, cause=WITHDRAWN)
    if state is AttemptState.PREEMPTED and record.stop_reason == BARRED:
        final = replace(final, cause=BARRED)
    if _ended_for_money(record, item):
        held = Money(job.hold, job.currency)
        why = f"stopped before it cost more than the {held} that were held for it"
        final = replace(final, cause=MONEY, detail="; ".join(filter(None, (why, final.detail))))
    end_attempt(platform, changes, offers, final, job, state, usage, now)


def _meant(record: AttemptRecord, item: AttemptReport) -> AttemptState:
    """What a stop of ours ended has ended as we meant it, whatever the centre calls that: the user's word
    counts more than ours, and a machine that went down meanwhile must not fail a job that we took off it."""
    stopped = item.state in (AttemptState.CANCELLED, AttemptState.PREEMPTED)
    if stopped and record.stop_reason == CANCELLED:
        return AttemptState.CANCELLED
    if record.stop_reason == WITHDRAWN and (stopped or _fell_before_it_began(item)):
        return AttemptState.PREEMPTED
    if record.stop_reason in (PREEMPTED, BARRED) and (stopped or item.cause == "interrupted"):
        return AttemptState.PREEMPTED
    if _ended_for_money(record, item):
        return AttemptState.FAILED
    return item.state


def _ended_for_money(record: AttemptRecord, item: AttemptReport) -> bool:
    """Our stop ended it, or its machine went down meanwhile; not if it had ended by itself."""
    stopped = item.state in (AttemptState.CANCELLED, AttemptState.PREEMPTED)
    return record.stop_reason == MONEY and (stopped or item.cause == "interrupted")


def _fell_before_it_began(item: AttemptReport) -> bool:
    return item.cause == "interrupted" and item.started_at is None


def _advance(tx: Tx, changes: Changes, record: AttemptRecord, item: AttemptReport, now: Instant) -> None:
    state = record.state
    if item.state is not AttemptState.PLACED:  # taken on, nothing done yet
        event = AttemptEvent.STOP if item.state is AttemptState.STOPPING else AttemptEvent(item.state.value)
        state, _ = step_attempt(record.state, event)
    changed = replace(_observed(record, item), state=state, expected_at=expected(item, now))
    if record.stop_reason == WITHDRAWN and changed.started_at is not None:
        # It had begun: it was not taken back, and goes on there.
        changed = replace(changed, want=Want.RUN, stop_reason="", gen=tx.region.next_gen(record.centre))
    if changed == record:
        return
    changes.attempts.append(changed)
    if state is not record.state:
        raw = told(item.raw) or None
        changes.events.append(attempt_event(now, record, state, raw=raw, started_at=item.started_at))


@dataclass(frozen=True, slots=True)
class _Barred:
    attempts: Sequence[str]


def desired(platform: Platform, actor: Actor, incarnation: int, after: int) -> Desired | None:
    """What should run and what should stop at the agent's centre, as far as it is newer than `after`. None
    when nothing is: the caller may wait for the topic `centre:NAME`. An order whose datasets may not go there
    any more is a stop instead. Raises WrongState for an older incarnation."""
    centre = _own_centre(actor)

    def load(tx: Tx) -> Desired | _Barred | None:
        record = _known(tx, centre)
        if incarnation < record.incarnation:
            raise WrongState("a newer agent speaks for this centre", incarnation=record.incarnation)
        if record.gen == after:
            return None
        # An agent that is ahead of us has seen a database that was since restored from a backup: tell it all.
        wanted = tx.attempts.wanted(centre, after if after < record.gen else 0)
        jobs = tx.jobs.get(sorted({attempt.job for attempt in wanted}))
        runs = [(attempt, jobs[attempt.job]) for attempt in wanted if attempt.want is Want.RUN]
        barred = clearance.barred(platform, tx, runs, record.jurisdiction, platform.clock())
        if barred:
            return _Barred([*barred])
        specs = {job.id: parse(job.spec) for _, job in runs}
        known = inputs.datasets_of(tx, specs.values())
        return Desired(
            record.gen,
            tuple(order(attempt, job, specs[job.id], known) for attempt, job in runs),
            tuple(stop(attempt, jobs[attempt.job]) for attempt in wanted if attempt.want is Want.STOP),
        )

    while isinstance(found := platform.store.read(load), _Barred):
        clearance.turn_back(platform, centre, found.attempts)
    return found
