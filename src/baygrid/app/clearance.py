"""The last looks at the law of a job's datasets: in the commit that places it, and before the order goes out
to the centre that will fetch them. Jobs without datasets cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from baygrid.app import jobs
from baygrid.app.attempts import BARRED
from baygrid.app.borders import Borders
from baygrid.app.changes import Changes
from baygrid.app.platform import Platform
from baygrid.app.rejudging import told
from baygrid.core.jobs.addresses import dataset
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.spec import parse
from baygrid.core.placement.demand import Bar
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Event, JobRecord, Want
from baygrid.ports.store import Tx

_NOT_STAGED: Final = (AttemptState.PLACED, AttemptState.STAGING)
"""The datasets of such an attempt are not all there yet, as far as its centre has said."""


def cleared(borders: Borders, changes: Changes, job: JobRecord, now: Instant) -> bool:
    """Judges once more, on this instant. Where the answer is not the one that was planned with, the job is
    planned again."""
    if job.bars is None:
        return True
    judged = replace(job, bars=borders.bars(parse(job.spec)))
    if judged.bars != job.bars:
        changes.jobs.append(judged)
        changes.events.append(told(judged, now))
        return False
    return True


def note_crossings(
    tx: Tx, borders: Borders, job: JobRecord, attempt: AttemptRecord, jurisdiction: str
) -> None:
    """Writes into the audit which datasets this attempt may take over a border, and why."""
    if job.bars is None:
        return
    for row, way in borders.crossings(parse(job.spec), jurisdiction):
        data = {
            "job": job.id,
            "attempt": attempt.id,
            "dataset": row.ref,
            "to": jurisdiction,
            "decision": way.decision,
        }
        tx.audit.append(
            attempt.placed_at, "dataset-allowed", data, contract=way.contract, project=row.project
        )


def barred(
    platform: Platform,
    tx: Tx,
    runs: Sequence[tuple[AttemptRecord, JobRecord]],
    jurisdiction: str,
    now: Instant,
) -> dict[str, tuple[JobRecord, Bar]]:
    """Attempts that a centre there is about to be told to run and whose datasets may not go there now: with
    the job as it is judged now, and the bar in the way. What is staged already is not judged again."""
    asked = [(a, job) for a, job in runs if job.bars is not None and a.state in _NOT_STAGED]
    if not asked:
        return {}
    borders = Borders(tx, platform.catalogue.at(tx), platform.lists, now)
    found = {}
    for attempt, job in asked:
        bars = borders.bars(parse(job.spec)) or ()
        bar = next((bar for bar in bars if bar.jurisdiction == jurisdiction), None)
        if bar is not None:
            found[attempt.id] = (replace(job, bars=bars), bar)
    return found


def turn_back(platform: Platform, centre: str, attempts: Sequence[str]) -> None:
    """Asks the centre to stop those of them that are barred still: it fetches nothing for them, and
    their jobs go back to the queue with what is in their way. The audit says why."""
    now = platform.clock()

    def apply(tx: Tx) -> None:
        at = tx.region.centre(centre)
        assert at is not None, "centres are never removed"
        live = {id: a for id, a in tx.attempts.get(attempts).items() if a.want is Want.RUN}
        of = tx.jobs.get(sorted({attempt.job for attempt in live.values()}))
        found = barred(platform, tx, [(a, of[a.job]) for a in live.values()], at.jurisdiction, now)
        changes = Changes()
        for id, (job, bar) in sorted(found.items()):
            changes.jobs.append(job)
            changes.events.append(told(job, now))
            asked = Event(now, "law-stop-requested", data={"bar": bar.to_json()})
            jobs.ask_to_stop(tx, changes, live[id], BARRED, asked)
        changes.apply(tx)
        for id, (job, bar) in sorted(found.items()):
            _note(tx, id, job, bar, now)

    platform.store.write(apply)


def _note(tx: Tx, attempt: str, job: JobRecord, bar: Bar, now: Instant) -> None:
    decision = {"outcome": bar.outcome, "basis": [*bar.basis], "missing": [*bar.missing]}
    data = {
        "job": job.id,
        "attempt": attempt,
        "dataset": bar.data,
        "to": bar.jurisdiction,
        "decision": decision,
    }
    tx.audit.append(now, "dataset-barred", data, contract=None, project=dataset(bar.data).project)
