"""Words for how an attempt was ended, as they stand in `why` and in a claim that forbids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from baygrid.centres.folder.files import Files
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import Stop

STOPPED = {"cancelled": AttemptState.CANCELLED, "preempted": AttemptState.PREEMPTED}
"""Why a driver ended it, where that is no failure."""


def word_of(stop: Stop) -> str:
    """How the driver notes why it ends an attempt."""
    return "preempted" if stop.reason == "preempted" else "cancelled"


def never_ran(word: str, detail: str, at: Instant) -> Observation:
    """The driver's own claim stands in its way."""
    if word in ("refused", "interrupted"):
        return Observation(AttemptState.FAILED, raw=word, cause=word, detail=detail, ended_at=at)
    if word == "preempted":
        return Observation(AttemptState.PREEMPTED, raw="before it started", detail=detail, ended_at=at)
    return Observation(AttemptState.CANCELLED, raw="stopped before it started", detail=detail, ended_at=at)


def left_behind(
    files: Files, state: AttemptState, cause: str | None, outputs: Sequence[str], checkpoint: str
) -> dict[str, Path]:
    """What of an attempt that ran is to be stored: its outputs, and where it did not succeed those that have
    something in them; of one that was preempted or interrupted what its next attempt goes on from."""
    if state is AttemptState.SUCCEEDED:
        return files.outputs(outputs)
    if state is AttemptState.PREEMPTED or cause == "interrupted":
        return files.checkpoint(checkpoint)
    return files.filled(outputs)
