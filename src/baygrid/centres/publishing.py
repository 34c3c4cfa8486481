"""Which outputs of an attempt that ended are still to be stored, and what its end is when they cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from baygrid.centres.remembered import Remembered
from baygrid.centres.reports import failed
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import Observation


@dataclass(frozen=True, slots=True)
class Publication:
    """An output that waits to be packed and stored."""

    attempt: str
    name: str
    path: Path


def due(kept: Iterable[Remembered]) -> list[Publication]:
    """Of each, the outputs that the server does not have."""
    return [
        Publication(one.order.attempt, name, path)
        for one in kept
        if one.seen is not None
        for name, path in sorted(one.seen.outputs.items())
        if name not in one.outputs
    ]


def without_outputs(seen: Observation, failure: str) -> Observation:
    """The end of an attempt whose outputs are refused for good: a result is part of success, what a failed or
    a preempted one leaves is not part of its end."""
    if seen.state is AttemptState.SUCCEEDED:
        return failed("publishing-failed", failure, seen.started_at, seen.ended_at)
    what = "outputs" if OUTPUT not in seen.outputs else OUTPUT
    return noted(seen, f"without its {what}: {failure}")


def noted(seen: Observation, note: str) -> Observation:
    """With a note beside what is said of its end."""
    return replace(seen, detail="; ".join(text for text in (seen.detail, note) if text))
