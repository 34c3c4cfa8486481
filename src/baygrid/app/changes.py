"""What a use case decided, gathered first and written together: a few statements instead of a few a job."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from baygrid.app.charging import Due, charge
from baygrid.app.shortage import shortage
from baygrid.core.jobs.lifecycle import JobEvent, step_job
from baygrid.ports.records import AttemptRecord, Event, Held, JobRecord
from baygrid.ports.store import Tx
from baygrid.ports.trading import Return
from baygrid.ports.usage import UsageRow


@dataclass(slots=True)
class Changes:
    """New rows of jobs and attempts that were read in this transaction, and what is added with them.
    `queued`: jobs that become QUEUED where what they ask for is free and nothing says `not_before`, else
    HELD, with the event that tells it. `held`: by project, minor units, may be negative."""

    jobs: list[JobRecord] = field(default_factory=list)
    queued: list[tuple[JobRecord, Event]] = field(default_factory=list)
    attempts: list[AttemptRecord] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    usage: list[UsageRow] = field(default_factory=list)
    dues: list[Due] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def freed(self) -> set[str]:
        """Projects of which less is held than before: there may be money for a job that lacks it."""
        return {project for project, held in self.held.items() if held < 0}

    def apply(self, tx: Tx) -> None:
        """Writes everything. Projects in the order of their names, so that two servers never wait for each
        other in a circle."""
        if self.attempts:
            tx.attempts.update(self.attempts)
        if self.jobs:
            tx.jobs.update(self.jobs)
        if self.usage:
            tx.money.insert_usage(self.usage)
        if self.returns:
            tx.trading.give_back(self.returns)
        charged = charge(tx, self.dues)
        at = max((due.charge.at for due in self.dues), default=0)
        for project in sorted({*self.held, *charged}):
            held, paid = self.held[project], charged[project]
            if (held or paid) and not tx.money.move(project, at=at, held=held, charged=paid):
                raise AssertionError(f"a charge of {project!r} does not fit its holds ({held}, {paid})")
        self._queue(tx)
        if self.events:
            tx.events.append(self.events)

    def _queue(self, tx: Tx) -> None:
        """What was held before is free again by now."""
        rows = []
        for job, event in self.queued:
            self.events.append(event)
            if tx.money.move(job.project, at=event.at, held=job.asked):
                rows.append(self._paid(job, event))
                continue
            state, _ = step_job(job.state, JobEvent.HOLD)
            why = shortage(tx, job.project, job.asked, event.at)
            rows.append(replace(job, state=state, cause=Held.MONEY, detail=why))
            data = {"cause": Held.MONEY, "minor": job.asked} | ({"why": why} if why else {})
            self.events.append(Event(event.at, "job-held", job.project, job.id, data=data))
        if rows:
            tx.jobs.update(rows)

    def _paid(self, job: JobRecord, event: Event) -> JobRecord:
        if job.not_before is None or job.not_before <= event.at:
            return replace(job, hold=job.asked, not_before=None)
        state, _ = step_job(job.state, JobEvent.HOLD)
        data = {"cause": Held.BACK_OFF, "why": job.detail, "not_before": job.not_before}
        self.events.append(Event(event.at, "job-held", job.project, job.id, data=data))
        return replace(job, state=state, cause=Held.BACK_OFF, hold=job.asked)
