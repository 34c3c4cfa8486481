"""Jobs before a pool of equal slots: in the order of arrival (fifo), shortest first (sjf), or in the order of
arrival with holes filled (EASY).

EASY backfilling (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995; Mu'alem and Feitelson, TPDS 2001):
the first job that does not fit gets a reservation at its shadow time, when enough slots are free by the
estimates of what runs. A later job may start before it if it ends by then, by its own estimate, or takes only
slots that the head will not need (the spare ones).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple, Protocol


class Waiting(NamedTuple):
    """A job that waits: it needs `slots` at once for `estimate` seconds, as it says itself; history expects
    `expected` seconds (0: not asked)."""

    job: int
    slots: int
    estimate: int
    expected: int = 0


class Line(Protocol):
    """Jobs before one pool. `now` never goes back; ends and arrivals at one time come before `starts`."""

    def submit(self, now: int, job: Waiting) -> None:
        """`job` waits from now on. Raises `ValueError` if the pool can never hold it."""

    def end(self, now: int, job: int) -> None:
        """`job`, which ran, does not run any more."""

    def starts(self, now: int) -> list[int]:
        """The jobs that start now, in that order. They run until `end` says otherwise."""


class InOrder:
    """Strictly in order, nobody overtakes: of arrival, or of estimates where `shortest` (ties: arrival)."""

    def __init__(self, slots: int, shortest: bool = False) -> None:
        self.free = slots
        self._slots = slots
        self._shortest = shortest
        self._arrived = 0
        self._queue: list[tuple[int, int, Waiting]] = []  # the next to start is the last
        self._counts: dict[int, int] = {}

    def submit(self, now: int, job: Waiting) -> None:
        check(job, self._slots)
        self._arrived += 1
        insort(self._queue, (-job.estimate if self._shortest else 0, -self._arrived, job))

    def end(self, now: int, job: int) -> None:
        self.free += self._counts.pop(job)

    def starts(self, now: int) -> list[int]:
        started = []
        queue = self._queue
        while queue and queue[-1][2].slots <= self.free:
            job = queue.pop()[2]
            self.free -= job.slots
            self._counts[job.job] = job.slots
            started.append(job.job)
        return started


class Easy:
    """EASY. `shadow`: when the blocked head starts at the latest if the estimates hold; `spare`: the slots
    that it leaves then. A job that runs beyond its estimate is taken to end at once, until it does.

    The reservation is kept until a job ends or the shadow is reached: what is backfilled before does not move
    it, so an arrival behind a blocked head is judged alone.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self.shadow: int | None = None
        self.spare = 0
        self._slots = slots
        self._queue: list[Waiting] = []
        self._judged = 0  # so many of the queue do not fit before the head, as long as the reservation holds
        self._running: dict[int, tuple[int, int]] = {}
        self._ends: list[tuple[int, int, int]] = []  # by estimate: (end, job, count), sorted

    def submit(self, now: int, job: Waiting) -> None:
        check(job, self._slots)
        self._queue.append(job)

    def end(self, now: int, job: int) -> None:
        end, count = self._running.pop(job)
        del self._ends[bisect_left(self._ends, (end, job))]
        self.free += count
        self.shadow = None

    def starts(self, now: int) -> list[int]:
        started: list[int] = []
        if self.shadow is None or now >= self.shadow:
            self._start_heads(now, started)
        if self._judged < len(self._queue):
            self._fill_holes(now, started)
        return started

    def _start_heads(self, now: int, started: list[int]) -> None:
        first = 0
        for job in self._queue:
            if job.slots > self.free:
                break
            self._run(now, job, started)
            first += 1
        del self._queue[:first]
        self._judged = 0
        self.shadow = None
        if self._queue:
            self._reserve(now, self._queue[0].slots)
            self._judged = 1

    def _reserve(self, now: int, need: int) -> None:
        """Shadow and spare of a head that needs more slots than are free."""
        free = self.free
        shadow = now
        for end, _, count in self._ends:
            if free >= need and end > shadow:
                break
            free += count
            shadow = max(shadow, end)
        self.shadow, self.spare = shadow, free - need

    def _fill_holes(self, now: int, started: list[int]) -> None:
        assert self.shadow is not None, "jobs wait only behind a blocked head"
        room = self.shadow - now
        kept = self._queue[: self._judged]
        for job in self._queue[self._judged :]:
            count, estimate = job.slots, job.estimate
            if count > self.free or (estimate > room and count > self.spare):
                kept.append(job)
                continue
            if estimate > room:
                self.spare -= count
            self._run(now, job, started)
        self._queue = kept
        self._judged = len(kept)

    def _run(self, now: int, job: Waiting, started: list[int]) -> None:
        end = now + job.estimate
        self._running[job.job] = (end, job.slots)
        insort(self._ends, (end, job.job, job.slots))
        self.free -= job.slots
        started.append(job.job)


def check(job: Waiting, slots: int) -> None:
    """Raises `ValueError` if a pool of `slots` can never hold it."""
    if not 0 < job.slots <= slots:
        raise ValueError(f"job {job.job} asks for {job.slots} of {slots} slots")
