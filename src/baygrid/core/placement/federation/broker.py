"""The broker's own queue: what is kept, in which order, and what is sent when."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.federation.history import History
from baygrid.core.placement.federation.view import View

HEAD_START: Final = 4.0
"""By how many times its expected run time a job lets later ones pass."""
LONGEST_PASSING: Final = 18 * 3600.0
"""Seconds: no job lets one pass that came more than this after it, however long it is expected to run."""


class Job(NamedTuple):
    """`width`: processors. `limit`: seconds that it asked for at most. `submitted`: seconds."""

    id: int
    user: Hashable
    width: int
    limit: float
    submitted: float


Order: TypeAlias = Callable[[Job, float], float]
"""What a job's turn comes by, least first, from the job and its expected run time in seconds."""


def by_arrival(job: Job, expected: float) -> float:
    return job.submitted


def short_first(job: Job, expected: float) -> float:
    """Shorter jobs first, with linear ageing: as if each had come later by a multiple of its run time, but no
    more than a bound. So nobody starves: what passes a job came at most `LONGEST_PASSING` after it."""
    return job.submitted + min(HEAD_START * expected, LONGEST_PASSING)


class Broker:
    """Events in, jobs to send out. It knows of the sites what `view` knows, and of run times what the jobs
    whose end was reported have shown."""

    def __init__(self, capacity: Sequence[int], stale: float, order: Order) -> None:
        self.view = View(capacity, stale)
        self.history = History()
        self._order = order
        self._queue: list[tuple[float, int, Job]] = []
        self._ended = 0
        self._ran = 0.0

    def __len__(self) -> int:
        """How many jobs are kept."""
        return len(self._queue)

    def submit(self, job: Job) -> None:
        """Equal turns go by id."""
        expected = self.history.expected(job.user, job.limit)
        heappush(self._queue, (self._order(job, expected), job.id, job))

    def ended(self, job: Job, site: int, run: float) -> None:
        """The site's report that a job ended after `run` seconds."""
        self.view.ended(site, job.width)
        self.history.ended(job.user, job.limit, run)
        self._ended += job.width
        self._ran += job.width * run
        self.view.pace(self._ran / self._ended)

    def send(self, intensity: NDArray[np.float64] | None = None) -> list[tuple[Job, int]]:
        """The jobs that go to a site now, with the site's index. `intensity`: of each site, gCO2/kWh.

        One job that fits nowhere keeps the site that is nearest to having room for it, and those behind it
        use the others (a reservation, as EASY has one); a second one ends the search.
        """
        sent: list[tuple[Job, int]] = []
        held: tuple[float, int, Job] | None = None
        kept: int | None = None
        while self._queue:
            job = self._queue[0][2]
            site = self.view.choose(job.width, intensity, kept)
            if site is not None:
                heappop(self._queue)
                self.view.sent(site, job.width)
                sent.append((job, site))
            elif held is None and job.width > 1:
                held = heappop(self._queue)
                kept = self.view.nearest(job.width)
            else:
                break
        if held is not None:
            heappush(self._queue, held)
        return sent
