"""Whether the store answers, and the region in numbers."""

from __future__ import annotations

from baygrid.app.platform import Platform
from baygrid.core.jobs.lifecycle import JobState


def current_term(platform: Platform) -> int:
    """The leader's term as the store has it now: one row, so that a busy region is never taken for a broken
    one. Raises whatever the store raises when it does not answer."""
    return platform.store.read(lambda tx: tx.leadership.current()[0])


def jobs_by_state(platform: Platform) -> dict[JobState, int]:
    """Counts every job there is."""
    return platform.store.read(lambda tx: tx.jobs.count_by_state())
