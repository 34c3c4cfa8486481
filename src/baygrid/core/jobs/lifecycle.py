"""How a job and an attempt live: two enums, two transition tables.

`step_job` and `step_attempt` are the only places where a state changes. A pair that is not in the table is
refused with `IllegalTransition`; the caller decides whether that is a late message (ignored) or a user's
error.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class JobState(StrEnum):
    """What a user sees of a job. The last three are final."""

    HELD = "HELD"
    QUEUED = "QUEUED"
    ACTIVE = "ACTIVE"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        return self in FINAL_JOB_STATES


class JobEvent(StrEnum):
    HOLD = "hold"
    RELEASE = "release"
    PLACE = "place"
    CANCEL = "cancel"
    ATTEMPT_SUCCEEDED = "attempt-succeeded"
    ATTEMPT_FAILED = "attempt-failed"
    ATTEMPT_CANCELLED = "attempt-cancelled"
    ATTEMPT_PREEMPTED = "attempt-preempted"
    ATTEMPT_LOST = "attempt-lost"
    RETRY = "retry"
    """An attempt failed or was lost, and the job asked to be tried again."""


class Instruction(StrEnum):
    """What the caller must do in the same transaction as the new state."""

    SHRINK_HOLD = "shrink-hold"
    RELEASE_HOLD = "release-hold"
    TAKE_HOLD = "take-hold"
    """Hold what one attempt may cost, as at submission. Where that much is not free: HOLD."""
    CHARGE = "charge"
    STOP_ATTEMPT = "stop-attempt"


class AttemptState(StrEnum):
    """Where one run of a job stands. UNKNOWN is not final: the centre cannot say, and its raw word is
    kept."""

    PLACED = "PLACED"
    STAGING = "STAGING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    PUBLISHING = "PUBLISHING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PREEMPTED = "PREEMPTED"
    LOST = "LOST"

    @property
    def final(self) -> bool:
        return self in FINAL_ATTEMPT_STATES


class AttemptEvent(StrEnum):
    """`STOP` and `LOSE` are ours; the others are what a centre observed, named after the state they claim."""

    STAGE = "STAGING"
    WAIT = "WAITING"
    RUN = "RUNNING"
    PUBLISH = "PUBLISHING"
    VANISH = "UNKNOWN"
    SUCCEED = "SUCCEEDED"
    FAIL = "FAILED"
    CANCELLED = "CANCELLED"
    PREEMPT = "PREEMPTED"
    STOP = "stop"
    LOSE = "lose"


class IllegalTransition(Exception):
    """No row for this state and event."""

    def __init__(self, state: JobState | AttemptState, event: JobEvent | AttemptEvent) -> None:
        super().__init__(f"{event.value!r} is not possible in state {state.value}")
        self.state = state
        self.event = event


FINAL_JOB_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
FINAL_ATTEMPT_STATES = frozenset(
    {
        AttemptState.SUCCEEDED,
        AttemptState.FAILED,
        AttemptState.CANCELLED,
        AttemptState.PREEMPTED,
        AttemptState.LOST,
    }
)

_END = (Instruction.CHARGE, Instruction.RELEASE_HOLD)
_AGAIN = (*_END, Instruction.TAKE_HOLD)

JOB_TABLE: Mapping[tuple[JobState, JobEvent], tuple[JobState, tuple[Instruction, ...]]] = {
    (JobState.QUEUED, JobEvent.HOLD): (JobState.HELD, ()),
    # What holds its money already, since it only waited for others, keeps it.
    (JobState.HELD, JobEvent.RELEASE): (JobState.QUEUED, (Instruction.TAKE_HOLD,)),
    (JobState.QUEUED, JobEvent.PLACE): (JobState.ACTIVE, (Instruction.SHRINK_HOLD,)),
    (JobState.HELD, JobEvent.CANCEL): (JobState.CANCELLED, (Instruction.RELEASE_HOLD,)),
    (JobState.QUEUED, JobEvent.CANCEL): (JobState.CANCELLED, (Instruction.RELEASE_HOLD,)),
    (JobState.ACTIVE, JobEvent.CANCEL): (JobState.ACTIVE, (Instruction.STOP_ATTEMPT,)),
    (JobState.ACTIVE, JobEvent.ATTEMPT_SUCCEEDED): (JobState.SUCCEEDED, _END),
    (JobState.ACTIVE, JobEvent.ATTEMPT_FAILED): (JobState.FAILED, _END),
    (JobState.ACTIVE, JobEvent.ATTEMPT_CANCELLED): (JobState.CANCELLED, _END),
    # The platform or the centre took its place away: that is never the end of a job.
    (JobState.ACTIVE, JobEvent.ATTEMPT_PREEMPTED): (JobState.QUEUED, _AGAIN),
    (JobState.ACTIVE, JobEvent.RETRY): (JobState.QUEUED, _AGAIN),
    # Of what else is not charged `spared` has the rule.
    (JobState.ACTIVE, JobEvent.ATTEMPT_LOST): (JobState.FAILED, (Instruction.RELEASE_HOLD,)),
}

_PROGRESS = (
    AttemptState.PLACED,
    AttemptState.STAGING,
    AttemptState.WAITING,
    AttemptState.RUNNING,
    AttemptState.STOPPING,
    AttemptState.PUBLISHING,
)
_OBSERVED = (AttemptEvent.STAGE, AttemptEvent.WAIT, AttemptEvent.RUN, AttemptEvent.PUBLISH)
_ENDED = (AttemptEvent.SUCCEED, AttemptEvent.FAIL, AttemptEvent.CANCELLED, AttemptEvent.PREEMPT)


def _attempt_table() -> dict[tuple[AttemptState, AttemptEvent], AttemptState]:
    """Observations only move forward; an older one (repeated, reordered) leaves the state as it is."""
    table: dict[tuple[AttemptState, AttemptEvent], AttemptState] = {}
    for rank, state in enumerate(_PROGRESS):
        for event in _OBSERVED:
            claimed = AttemptState(event.value)
            table[state, event] = claimed if _PROGRESS.index(claimed) > rank else state
        table[state, AttemptEvent.STOP] = AttemptState.STOPPING
        table[state, AttemptEvent.VANISH] = AttemptState.UNKNOWN
    for event in _OBSERVED:
        table[AttemptState.UNKNOWN, event] = AttemptState(event.value)
    table[AttemptState.UNKNOWN, AttemptEvent.VANISH] = AttemptState.UNKNOWN
    table[AttemptState.UNKNOWN, AttemptEvent.STOP] = AttemptState.UNKNOWN
    for state in (*_PROGRESS, AttemptState.UNKNOWN):
        for event in _ENDED:
            table[state, event] = AttemptState(event.value)
        table[state, AttemptEvent.LOSE] = AttemptState.LOST
    return table


ATTEMPT_TABLE: Mapping[tuple[AttemptState, AttemptEvent], AttemptState] = _attempt_table()

_JOB_EVENT_OF: Mapping[AttemptState, JobEvent] = {
    AttemptState.SUCCEEDED: JobEvent.ATTEMPT_SUCCEEDED,
    AttemptState.FAILED: JobEvent.ATTEMPT_FAILED,
    AttemptState.CANCELLED: JobEvent.ATTEMPT_CANCELLED,
    AttemptState.PREEMPTED: JobEvent.ATTEMPT_PREEMPTED,
    AttemptState.LOST: JobEvent.ATTEMPT_LOST,
}


def step_job(state: JobState, event: JobEvent) -> tuple[JobState, tuple[Instruction, ...]]:
    """The next state of a job and what must happen with it. Raises IllegalTransition."""
    try:
        return JOB_TABLE[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def step_attempt(state: AttemptState, event: AttemptEvent) -> tuple[AttemptState, tuple[JobEvent, ...]]:
    """The next state of an attempt and what its job must be told. Raises IllegalTransition."""
    try:
        after = ATTEMPT_TABLE[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None
    return after, ((_JOB_EVENT_OF[after],) if after.final else ())
