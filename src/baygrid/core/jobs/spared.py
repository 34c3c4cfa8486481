"""The one rule by which an attempt that used something is not charged."""

from __future__ import annotations

from collections.abc import Collection

from baygrid.core.jobs.lifecycle import AttemptState

INTERRUPTED = "interrupted"


def not_charged(state: AttemptState, cause: str | None, kept: Collection[str]) -> str | None:
    """Why an attempt that ended so is not charged, in a few words; None: it is. `kept`: names of the outputs,
    or the checkpoint, that came of it.

    It is not where its centre took the work with it: the attempt was LOST, or broke off there (a node that
    failed, a machine that restarted, a scheduler that threw it out) and nothing of it was kept. What a job
    goes on from was worth what it cost, and what ends by itself, its time, its user or ours is charged.
    """
    if state is AttemptState.LOST:
        return "its centre lost it"
    if state is AttemptState.FAILED and cause == INTERRUPTED and not kept:
        return "it was interrupted at its centre, and nothing of it was kept"
    return None
