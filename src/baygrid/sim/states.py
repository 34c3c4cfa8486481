"""The event stream told again through the two tables: so must the state of each row have been reached."""

from __future__ import annotations

from collections.abc import Iterable

from baygrid.core.jobs.lifecycle import (
    AttemptEvent,
    AttemptState,
    IllegalTransition,
    JobEvent,
    JobState,
    step_attempt,
    step_job,
)
from baygrid.ports.records import Event
from baygrid.sim.snapshot import Snapshot
from baygrid.sim.world import Violation

_ATTEMPT_EVENTS = {f"attempt-{state.value.lower()}": state for state in AttemptState}
_OURS = {AttemptState.STOPPING: AttemptEvent.STOP, AttemptState.LOST: AttemptEvent.LOSE}
_STOPS = ("cancel-requested", "preempt-requested", "money-stop-requested", "law-stop-requested")
_TURNS = {
    "job-requeued": JobEvent.RETRY,
    "job-held": JobEvent.HOLD,
    "job-released": JobEvent.RELEASE,
}
_JOB_EVENTS = {
    "job-succeeded": (JobState.SUCCEEDED, JobEvent.ATTEMPT_SUCCEEDED),
    "job-failed": (JobState.FAILED, JobEvent.ATTEMPT_FAILED),
    "job-cancelled": (JobState.CANCELLED, JobEvent.ATTEMPT_CANCELLED),
}


class States:
    """Folds events; `check` compares with the rows."""

    def __init__(self) -> None:
        self.jobs: dict[str, JobState] = {}
        self.attempts: dict[str, AttemptState] = {}
        self.ended: dict[str, int] = {}
        self._term = 0

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            try:
                self._take(event)
            except (IllegalTransition, KeyError) as wrong:
                subject = event.attempt or event.job or ""
                raise Violation("transitions", f"{event.kind}: {wrong}", subject) from None

    def _take(self, event: Event) -> None:
        if event.kind == "job-submitted" and event.job is not None:
            self.jobs[event.job] = JobState.HELD if "held_for" in event.data else JobState.QUEUED
        elif event.kind == "job-placed" and event.job is not None and event.attempt is not None:
            if event.term < self._term:
                raise Violation("terms", f"term {event.term} places after term {self._term}", event.job)
            self._term = event.term
            self.jobs[event.job], _ = step_job(self.jobs[event.job], JobEvent.PLACE)
            self.attempts[event.attempt] = AttemptState.PLACED
        elif event.kind in _STOPS and event.attempt is not None:
            state, _ = step_attempt(self.attempts[event.attempt], AttemptEvent.STOP)
            self.attempts[event.attempt] = state
        elif event.kind in _ATTEMPT_EVENTS and event.attempt is not None:
            self._attempt(event, event.attempt, _ATTEMPT_EVENTS[event.kind])
        elif event.kind in _TURNS and event.job is not None:
            self.jobs[event.job], _ = step_job(self.jobs[event.job], _TURNS[event.kind])
        elif event.kind in _JOB_EVENTS and event.job is not None:
            self._job(event, event.job)

    def _attempt(self, event: Event, attempt: str, claimed: AttemptState) -> None:
        before = self.attempts[attempt]
        after, _ = step_attempt(before, _OURS.get(claimed) or AttemptEvent(claimed.value))
        # That it has run is also told when its end arrives first.
        if after is not claimed and not (claimed is AttemptState.RUNNING and after is before):
            raise Violation("transitions", f"{event.kind} in state {before.value}", attempt)
        self.attempts[attempt] = after

    def _job(self, event: Event, job: str) -> None:
        claimed, by = _JOB_EVENTS[event.kind]
        if event.attempt is None:
            by = JobEvent.CANCEL
        after, _ = step_job(self.jobs[job], by)
        if after is not claimed:
            raise Violation("transitions", f"{event.kind} in state {self.jobs[job].value}", job)
        self.jobs[job] = after
        self.ended[job] = self.ended.get(job, 0) + 1

    def check(self, snapshot: Snapshot) -> None:
        for job in snapshot.jobs.values():
            if self.jobs.get(job.id) is not job.state:
                told = self.jobs.get(job.id)
                raise Violation("events", f"the row says {job.state}, the events say {told}", job.id)
            if self.ended.get(job.id, 0) != int(job.state.final):
                raise Violation("ends once", f"{job.state} ended {self.ended.get(job.id, 0)} times", job.id)
        for attempt in snapshot.attempts.values():
            if self.attempts.get(attempt.id) is not attempt.state:
                told_of = self.attempts.get(attempt.id)
                detail = f"the row says {attempt.state}, the events say {told_of}"
                raise Violation("events", detail, attempt.id)
