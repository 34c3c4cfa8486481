"""What must hold once the region has healed and come to rest: all has ended, and the books tell the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from baygrid.app.attempts import CANCELLED, MONEY, PREEMPTED
from baygrid.app.bill import recomputed
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.jobs.spared import not_charged
from baygrid.core.pricing.accounts import GRANTS, income_account, project_account
from baygrid.ports.basics import ObjectStore
from baygrid.ports.messages import WITHDRAWN, Usage
from baygrid.ports.records import AttemptRecord, JobRecord, Want
from baygrid.ports.store import Store, log_key
from baygrid.ports.usage import UsageRow
from baygrid.sim.agent import SimAgent, output_of
from baygrid.sim.machine import History
from baygrid.sim.people import Told
from baygrid.sim.snapshot import Books, Snapshot
from baygrid.sim.workload import sha256_of
from baygrid.sim.world import Violation

_ENDED_BY_US = (AttemptState.CANCELLED, AttemptState.PREEMPTED, AttemptState.FAILED)


def check_rest(snapshot: Snapshot, agents: Sequence[SimAgent]) -> None:
    """Nobody waits for anybody any more."""
    for job in snapshot.jobs.values():
        if not job.state.final:
            raise Violation("everything ends", f"is still {job.state}", job.id)
    for attempt in snapshot.attempts.values():
        if not attempt.state.final or attempt.want is not Want.NOTHING:
            raise Violation("everything ends", f"is {attempt.state}, wanted: {attempt.want}", attempt.id)
    for agent in agents:
        held = sorted(agent.brain.attempts) if agent.brain is not None else ["no agent"]
        if held:
            raise Violation("everything ends", f"the agent of {agent.name} still holds {held}", held[0])
        for run in agent.machine.alive():
            assert run.order is not None
            raise Violation("everything ends", "still runs", run.order.attempt)


def check_truth(snapshot: Snapshot, histories: Mapping[str, History]) -> None:
    """The state that the books show is what happened at the centre."""
    for attempt in snapshot.attempts.values():
        history = histories.get(attempt.token)
        if history is None:
            if attempt.state not in (*_ENDED_BY_US, AttemptState.LOST) or attempt.started_at is not None:
                raise Violation("truth", f"never ran and is {attempt.state}", attempt.id)
            continue
        if attempt.state is AttemptState.LOST or _interrupted(attempt, history):
            continue
        if attempt.started_at != history.started_at or attempt.ended_at != history.ended_at:
            detail = f"ran {history.started_at} to {history.ended_at}"
            raise Violation(
                "truth", f"{detail}, booked {attempt.started_at} to {attempt.ended_at}", attempt.id
            )
        told = attempt.state is AttemptState.SUCCEEDED and not history.stranger
        if told and history.nodes != attempt.nodes:
            raise Violation("truth", f"ran on {history.nodes}, booked {attempt.nodes}", attempt.id)
        if attempt.cause == WITHDRAWN:
            raise Violation("withdrawn", "was withdrawn and has run", attempt.id)
        if attempt.state is not _verdict(attempt, history):
            raise Violation("truth", f"ended as {history} and is {attempt.state}", attempt.id)


def _interrupted(attempt: AttemptRecord, history: History) -> bool:
    """Its machine lost power before the disk had it: nobody can know more, and nothing is charged."""
    return history.claim_lost and attempt.state in _ENDED_BY_US


def _verdict(attempt: AttemptRecord, history: History) -> AttemptState:
    if history.interrupted and attempt.stop_reason == PREEMPTED:
        return AttemptState.PREEMPTED
    if history.interrupted or history.limited:
        return AttemptState.FAILED
    if history.stopped and attempt.stop_reason == MONEY:
        return AttemptState.FAILED
    if history.stopped:
        ours = history.stopped == PREEMPTED and attempt.stop_reason != CANCELLED
        return AttemptState.PREEMPTED if ours else AttemptState.CANCELLED
    return AttemptState.FAILED if history.exit_code else AttemptState.SUCCEEDED


def check_told(snapshot: Snapshot, told: Told) -> None:
    """People got one answer for each key, and there is one job for each that they asked for, or none.

    A submission that was refused for want of money may have left a late copy behind, which found some.
    """
    for key, answers in told.answers.items():
        if len(answers) > 1:
            raise Violation("idempotency", f"{key} got {sorted(answers)}")
    names = Counter((job.name, job.index) for job in snapshot.jobs.values())
    for job in snapshot.jobs.values():
        key = told.keys[job.name]
        if names[job.name, job.index] > 1:
            raise Violation("idempotency", f"{key} made {job.name} {job.index} more than once", job.id)
        if told.jobs.get(job.array or job.id) != key and told.refused.get(key) != 402:
            raise Violation("idempotency", f"{key} made {job.name}, which nobody was told of", job.id)
    missing = sorted(set(told.jobs) - set(snapshot.jobs) - set(snapshot.arrays))
    if missing:
        raise Violation("idempotency", f"{missing} are promised and not there", missing[0])


def check_books(snapshot: Snapshot, books: Books) -> None:
    """The ledger balances, and agrees with charges, projects and a recomputation from the signed records."""
    charges = [charge for rows in snapshot.charges.values() for charge in rows]
    for (account, currency), total in books.balances.items():
        if currency != "CNY":
            raise Violation("ledger", f"{account} has {total} {currency}")
    if sum(books.balances.values()):
        raise Violation("ledger", f"is off by {sum(books.balances.values())}")
    keys = Counter(transaction.key for transaction in books.transactions)
    if any(count > 1 for count in keys.values()):
        raise Violation("ledger", "a key is posted twice")
    for project in snapshot.projects.values():
        balance = books.balances.get((project_account(project.name), "CNY"), 0)
        if -balance != project.granted - project.charged:
            raise Violation("ledger", f"{project} but its account has {balance}")
        if project.held:
            raise Violation("held", f"{project.name} holds {project.held} at the end")
    granted = sum(project.granted for project in snapshot.projects.values())
    if books.balances.get((GRANTS, "CNY"), 0) != granted:
        raise Violation("ledger", "grants are not what projects were granted")
    earned: Counter[str] = Counter()
    for charge in charges:
        earned[charge.centre] += charge.total
        if charge.transaction and keys[f"charge:{charge.attempt}:{charge.n}"] != 1:
            raise Violation("ledger", f"charge {charge.n} is not in the ledger", charge.attempt)
    for centre in books.centres:
        if -books.balances.get((income_account(centre), "CNY"), 0) != earned[centre]:
            raise Violation("ledger", f"{centre} earned {earned[centre]} by its charges")
    charged = {charge.attempt for charge in charges}
    usage = [row for row in books.usage if row.signed.usage.attempt in charged]
    differences = recomputed(charges, usage, books.offers, books.terms, {})
    if differences:
        raise Violation("recomputed", str(differences[0]), differences[0].attempt)


def check_usage(snapshot: Snapshot, books: Books, histories: Mapping[str, History]) -> None:
    """Records are adjacent, cover what ran, and each is charged exactly once, or never."""
    rows: dict[str, list[UsageRow]] = {attempt: [] for attempt in snapshot.attempts}
    for row in books.usage:
        rows[row.signed.usage.attempt].append(row)
    for attempt in snapshot.attempts.values():
        records = [row.signed.usage for row in rows[attempt.id]]
        for n, record in enumerate(records):
            if record.nodes != attempt.count:
                raise Violation("usage", f"{record.nodes} of {attempt.count} nodes", attempt.id)
            if record.n != n or record.start > record.end or (n and record.start != records[n - 1].end):
                raise Violation("usage", f"records are not adjacent: {records}", attempt.id)
        charged = sorted(charge.n for charge in snapshot.charges[attempt.job] if charge.attempt == attempt.id)
        history = histories.get(attempt.token)
        if not_charged(attempt.state, attempt.cause, attempt.outputs) is not None or history is None:
            if charged:
                raise Violation("charged once", f"{attempt.state} is charged {charged}", attempt.id)
        elif charged != [record.n for record in records]:
            raise Violation("charged once", f"charged {charged} of {len(records)} records", attempt.id)
        elif not _interrupted(attempt, history) and not _covers(records, attempt, history):
            raise Violation("usage", f"does not cover {attempt.started_at} to {attempt.ended_at}", attempt.id)


def _covers(records: Sequence[Usage], attempt: AttemptRecord, history: History) -> bool:
    """Of a machine that went down, what was recorded before may end after the last sign of life; an agent
    that lost its journal numbers anew, and what was stored under a number stays."""
    if history.stranger:
        return True
    if not records or records[0].start != attempt.started_at or attempt.ended_at is None:
        return False
    end = records[-1].end
    return end == attempt.ended_at or (history.interrupted and end > attempt.ended_at)


def check_bytes(
    snapshot: Snapshot, store: Store, objects: ObjectStore, histories: Mapping[str, History]
) -> None:
    """Logs and outputs arrived as they were written."""
    for attempt in snapshot.attempts.values():
        history = histories.get(attempt.token)
        chunks = store.read(lambda tx, id=attempt.id: tx.logs.chunks(id, 0))  # type: ignore[misc]
        log = b"".join(b"".join(objects.get(log_key(attempt.id, offset, size))) for offset, size in chunks)
        written = history.log if history is not None else b""
        forgotten = history is not None and (history.claim_lost or history.stranger)
        lost = attempt.state is AttemptState.LOST or forgotten
        if not written.startswith(log) or (len(log) < len(written) and not lost):
            raise Violation("logs", f"wrote {written!r}, stored {log!r}", attempt.id)
        for name, sha256 in attempt.outputs.items():
            stored = objects.size(f"blobs/{sha256[:2]}/{sha256}")
            if sha256 != sha256_of(output_of(attempt.id, name)) or stored is None:
                raise Violation("outputs", f"{name} is not what was written", attempt.id)
        asked = set(snapshot.jobs[attempt.job].spec.get("outputs", {}))
        if attempt.state is not AttemptState.SUCCEEDED:
            asked = set()
            if _leaves_checkpoint(attempt, snapshot.jobs[attempt.job], history):
                asked = {OUTPUT}
        if set(attempt.outputs) != asked and not lost:
            raise Violation("outputs", f"{sorted(attempt.outputs)} of {sorted(asked)}", attempt.id)


def _leaves_checkpoint(attempt: AttemptRecord, job: JobRecord, history: History | None) -> bool:
    if history is None or "path" not in job.spec.get("checkpoint", ()):
        return False
    return history.interrupted or (history.stopped == PREEMPTED and not history.limited)


def check_checkpoints(snapshot: Snapshot) -> None:
    """Each attempt began from the newest checkpoint that an earlier one left (`check_begun` compares)."""
    newest: dict[str, str | None] = {}
    for attempt in sorted(snapshot.attempts.values(), key=lambda attempt: (attempt.job, attempt.n)):
        newest[attempt.job] = attempt.outputs.get(OUTPUT, newest.get(attempt.job))
    for job in snapshot.jobs.values():
        if job.state not in (JobState.CANCELLED, JobState.FAILED) and job.checkpoint != newest.get(job.id):
            raise Violation("goes on", f"from {job.checkpoint} and not {newest.get(job.id)}", job.id)
