"""Fair share on one pool: whoever has used least lately goes first, and the head has a place kept for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from baygrid.core.placement.policy import UNDECLARED, Policy
from baygrid.core.placement.queue.share import Path, Shares, turn_key, weight
from baygrid.core.placement.timeline.backfill import Waiting
from baygrid.core.placement.timeline.places import Places


class Fair:
    """A `backfill.Line` before `slots` equal slots: lower faded usage for its weight first (`share`), among
    equals the one that came first; holes are filled as in EASY. `owner`: whose job it is."""

    def __init__(self, slots: int, owner: Callable[[int], Path], policy: Policy = UNDECLARED) -> None:
        self.places = Places(slots, first=1)
        self._slots = slots
        self._owner = owner
        self._policy = policy
        self._shares = Shares(policy)
        self._jobs: dict[int, Waiting] = {}

    def submit(self, now: int, job: Waiting) -> None:
        self.places.submit(now, job, self._rank(self._owner(job.job)))
        self._jobs[job.job] = job

    def end(self, now: int, job: int) -> None:
        self.places.end(now, job)
        self._shares.end(str(job), now * 1000)

    def starts(self, now: int) -> list[int]:
        """One turn: who starts is booked for all that he asks for, so the next turn is somebody else's."""
        waiting = self.places.waiting()
        if self.places.free and len(waiting):
            owners = [self._owner(job) for job in waiting.tolist()]
            ranks = {owner: self._rank(owner) for owner in set(owners)}
            self.places.rank(np.array([ranks[owner] for owner in owners]))
        started = self.places.starts(now)
        for number in started:
            job = self._jobs.pop(number)
            until = now + job.estimate
            self._shares.begin(
                str(number), self._owner(number), job.slots / self._slots, now * 1000, until * 1000
            )
        return started

    def _rank(self, owner: Path) -> float:
        return turn_key(self._shares.weighed(owner), weight(self._policy, owner))
