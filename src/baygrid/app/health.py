"""Whether this server can do its work, and the region in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.platform import Platform
from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Health:
    """The term row as the store has it now, and how many jobs are in each state."""

    term: int
    leader: str
    jobs: dict[JobState, int]


def health(platform: Platform) -> Health:
    """Raises whatever the store raises when it does not answer."""

    def load(tx: Tx) -> Health:
        term, leader, _ = tx.leadership.current()
        return Health(term, leader, tx.jobs.count_by_state())

    return platform.store.read(load)
