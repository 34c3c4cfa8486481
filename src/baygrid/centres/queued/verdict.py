"""What an attempt's folder says, what the engine says, and why we ended it, joined to one observation.

The folder knows whether the command began (the claim) and how it ended (the exit line). The engine knows
where and when, what was used, and causes from outside. Neither is believed beyond that: a task that the
engine no longer knows has not ended for that reason, and an exit code of the engine alone is no end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from baygrid.centres.engine import NO_FOLDER, Sight, Stand
from baygrid.centres.folder.endings import STOPPED
from baygrid.centres.folder.files import Exit
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation

_DETAILS = {
    "time-limit": "it ran longer than the time that was asked for",
    "out-of-memory": "it used more memory than it had asked for",
    "interrupted": "the centre ended it",
}


OUTLIVED_MS = 60_000
"""How much later than its last line the engine must say that a node failed, for the line to count more."""


@dataclass(frozen=True, slots=True)
class Told:
    """By the folder. `began`: when the claim was made, None while there is none; it may be there before it
    can be seen. `exit` None: there is no complete exit line."""

    began: Instant | None = None
    exit: Exit | None = None


def verdict(told: Told, sight: Sight | None, why: str | None, *, patient: bool) -> Observation | None:
    """How the attempt stands; final without sizes and outputs. None: as before.

    `sight` None: neither the engine's list nor its accounting has it. `why`: our own word for ending it.
    `patient`: a better word may still come (the accounting lags, a file is not seen yet).
    """
    ended = sight is not None and sight.stand is Stand.ENDED
    if sight is not None and sight.cause == "unlaunched" and told.began is not None:
        sight = replace(sight, cause="cancelled")
    if told.exit is not None:
        return _alive(told, sight, why) if patient and not ended else _final(told, sight, why)
    if sight is None:
        return None if patient else Observation(AttemptState.UNKNOWN, raw="absent", started_at=told.began)
    if ended:
        if told.began is None:
            return _never_began(sight)
        return _alive(told, sight, why) if patient else _final(told, sight, why)
    if sight.stand is Stand.UNKNOWN:
        began = sight.started_at if sight.started_at is not None else told.began
        return Observation(AttemptState.UNKNOWN, raw=sight.raw, detail=sight.reason, started_at=began)
    return _alive(told, sight, why)


def _alive(told: Told, sight: Sight | None, why: str | None) -> Observation:
    """It waits or runs, or its end is not wholly known. What has not begun has no nodes yet: an engine may
    find that those it chose are dead, and choose others."""
    if told.began is None:
        assert sight is not None
        return Observation(
            AttemptState.WAITING,
            raw=sight.raw,
            detail=sight.reason,
            expected_at=sight.expected_at,
        )
    stopping = why is not None or (sight is not None and sight.stand is Stand.STOPPING)
    state = AttemptState.STOPPING if stopping else AttemptState.RUNNING
    if sight is None:
        return Observation(state, raw="its end is being accounted for", started_at=told.began)
    return Observation(
        state,
        raw=sight.raw,
        detail=sight.reason,
        started_at=sight.started_at if sight.started_at is not None else told.began,
        cpu_seconds=sight.cpu_seconds,
        peak_memory_mib=sight.peak_memory_mib,
        nodes=sight.nodes,
    )


def _never_began(sight: Sight) -> Observation:
    """Nobody claimed it and nobody can any more: that was made sure of before."""
    state, cause = AttemptState.FAILED, "interrupted"
    detail = "it ended before it began"
    if sight.cause == "refused":
        cause, detail = "refused", "the centre will never run it"
    elif sight.cause == "preempted":
        state = AttemptState.PREEMPTED
    elif sight.cause == "cancelled":
        state, detail = AttemptState.CANCELLED, "it was cancelled at the centre, not by Baygrid"
    elif sight.cause == "unlaunched":
        detail = "its node could not launch it"
    elif sight.exit_code == NO_FOLDER:
        detail = "the node could not enter its folder"
    return Observation(
        state,
        raw=sight.raw,
        cause=cause if state is AttemptState.FAILED else None,
        detail=f"{detail}: {sight.reason}" if sight.reason else detail,
        ended_at=sight.ended_at,
        nodes=sight.nodes,
    )


def _final(told: Told, sight: Sight | None, why: str | None) -> Observation:
    """What we did to it counts more than what the engine did, and that more than an exit code. Only 0 of the
    command itself is above what the engine says: then it had done its work."""
    ended = sight if sight is not None and sight.stand is Stand.ENDED else None
    state, cause, detail = _judged(told.exit, ended, why)
    began = told.began
    if sight is not None and sight.started_at is not None:
        began = sight.started_at
    at = ended.ended_at if ended is not None else None
    if at is None and told.exit is not None:
        at = told.exit.at
    spent = told.exit.cpu_seconds if told.exit is not None else 0.0
    return Observation(
        state,
        raw=sight.raw if sight is not None else "absent",
        exit_code=told.exit.code if told.exit is not None else None,
        cause=cause,
        detail=detail,
        started_at=began,
        ended_at=at if at is None or began is None else max(at, began),
        cpu_seconds=max(spent, sight.cpu_seconds if sight is not None else 0.0),
        peak_memory_mib=sight.peak_memory_mib if sight is not None else 0,
        nodes=sight.nodes if sight is not None else (),
    )


def _judged(exit: Exit | None, ended: Sight | None, why: str | None) -> tuple[AttemptState, str | None, str]:
    failed = AttemptState.FAILED
    if why in STOPPED:
        return STOPPED[why], None, ""
    if why is not None:
        return failed, why, _DETAILS.get(why, "")
    cause, reason = (ended.cause, ended.reason) if ended is not None else (None, "")
    if cause == "interrupted" and _had_left(exit, ended):
        cause = None
    # Whoever is told to go may save what it has and leave with 0: that is no success.
    done = exit is not None and exit.code == 0 and exit.phase == "run"
    if done and cause not in ("preempted", "time-limit", "cancelled"):
        return AttemptState.SUCCEEDED, None, ""
    if cause == "preempted":
        return AttemptState.PREEMPTED, None, reason
    if cause == "cancelled":
        return AttemptState.CANCELLED, None, "it was cancelled at the centre, not by Baygrid"
    if cause is not None:
        cause = cause if cause in _DETAILS else "interrupted"
        return failed, cause, f"{_DETAILS[cause]}: {reason}" if reason else _DETAILS[cause]
    if exit is None:
        return failed, "interrupted", "it ended without a word: killed from outside, or its node failed"
    if exit.phase == "setup":
        return failed, "setup-failed", f"setup ended with exit code {exit.code}"
    return failed, "exit-code", ""


def _had_left(exit: Exit | None, ended: Sight | None) -> bool:
    """It was long over when the engine, which had been away itself, missed it on its node."""
    if exit is None or ended is None or ended.ended_at is None:
        return False
    return ended.ended_at - exit.at > OUTLIVED_MS
