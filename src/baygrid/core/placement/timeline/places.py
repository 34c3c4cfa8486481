"""A line of jobs in the order of their ranks, with places kept for the first that do not fit.

EASY keeps a place for the head only, so the next in line can be passed by holes filled again and again. Here
the `first` jobs that do not fit have their places on a calendar of what runs, each the earliest beside the
places before it (conservative backfilling, Mu'alem and Feitelson, TPDS 2001, for a part of the queue), and so
have up to `due` others whose rank, a time then, has passed; any other job starts if it moves none of these
places. All lengths are those that the jobs ask for, since they
are stopped then: if no job goes beyond its own, no place moves to a later time by what starts beside it.

Places are worked out anew at every decision, since jobs end early and ranks may change.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from baygrid.core.placement.timeline.backfill import Waiting, check
from baygrid.core.placement.timeline.steps import Steps, earliest, lowest, occupy

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


PLANNED: Final = 200
"""So many jobs before it are planned one by one to say when a job starts."""


class Rows(NamedTuple):
    """Jobs, one in each row; only the first so many count. Waiting: by arrival, `limit` and `likely` in
    seconds. Running: by the time of `limit`, which with `likely` is a time then; `since`: when it began."""

    job: Ints
    slots: Ints
    limit: Ints
    likely: Ints
    since: Ints
    rank: Floats


class Places:
    """A line before `slots` equal slots. `free`: how many are not in use."""

    def __init__(self, slots: int, first: int, due: int = 0) -> None:
        self.free = slots
        self._slots = slots
        self._first = first
        self._due = due
        self._queue, self._waiting = _empty(), 0
        self._run, self._running = _empty(), 0
        self._changed = False

    def submit(self, now: int, job: Waiting, rank: float) -> None:
        """`job` waits from now on; lower ranks go first, among equals the one that came first. Raises
        `ValueError` if the pool can never hold it."""
        check(job, self._slots)
        if self._waiting == len(self._queue.job):
            self._queue = _doubled(self._queue)
        queue, row = self._queue, self._waiting
        queue.job[row], queue.slots[row] = job.job, job.slots
        queue.limit[row], queue.likely[row], queue.since[row] = job.estimate, job.expected, now
        queue.rank[row] = rank
        self._waiting += 1
        self._changed = True

    def end(self, now: int, job: int) -> None:
        """`job`, which ran, does not run any more."""
        self._running, slots = _remove(self._run, self._running, job)
        self.free += slots
        self._changed = True

    def starts(self, now: int) -> list[int]:
        """The jobs that start now, in that order."""
        if not (self._changed and self._waiting and self.free):
            return []
        self._changed = False
        while len(self._run.job) < self._running + self._waiting:
            self._run = _doubled(self._run)
        begun, self._waiting, self._running, self.free = _decide(
            now, self.free, self._queue, self._waiting, self._run, self._running, self._first, self._due
        )
        started: list[int] = begun.tolist()
        return started

    def waiting(self) -> Ints:
        """The jobs that wait, by arrival."""
        return self._queue.job[: self._waiting]

    def rank(self, ranks: Floats) -> None:
        """New ranks for all that wait, in the order of `waiting`."""
        self._queue.rank[: self._waiting] = ranks

    def backlog_s(self, now: int, below: float = np.inf) -> float:
        """How long the pool would be busy with what runs and waits (with a rank below that given), as far as
        history knows, if nothing were left idle. Seconds."""
        work = _backlog(now, self._queue, self._waiting, self._run, self._running, below)
        return float(work) / self._slots

    def expected_wait_s(self, now: int, job: int) -> float:
        """In how many seconds `job`, which waits, starts if all goes as history knows: its place after those
        of the jobs with lower ranks, by likely lengths. Of a long line only the first `PLANNED` get places,
        the rest counts by its work. Raises `KeyError` if it does not wait."""
        rows = np.flatnonzero(self.waiting() == job)
        if not len(rows):
            raise KeyError(job)
        return float(
            _planned(
                now, self.free, self._slots, self._queue, self._waiting, self._run, self._running, rows[0]
            )
        )


def _empty() -> Rows:
    job, slots, limit, likely, since = (np.zeros(64, np.int64) for _ in range(5))
    return Rows(job, slots, limit, likely, since, np.zeros(64))


def _doubled(it: Rows) -> Rows:
    job, slots, limit, likely, since = (np.concatenate((column, column)) for column in it[:5])
    return Rows(job, slots, limit, likely, since, np.concatenate((it.rank, it.rank)))


@njit(cache=True)
def _copy(source: Rows, row: int, target: Rows, to: int) -> None:
    target.job[to] = source.job[row]
    target.slots[to] = source.slots[row]
    target.limit[to] = source.limit[row]
    target.likely[to] = source.likely[row]
    target.since[to] = source.since[row]
    target.rank[to] = source.rank[row]


@njit(cache=True)
def _remove(run: Rows, running: int, job: int) -> tuple[int, int]:
    """How many still run, and the slots that it had."""
    row = 0
    while run.job[row] != job:
        row += 1
    slots = int(run.slots[row])
    for later in range(row + 1, running):
        _copy(run, later, run, later - 1)
    return running - 1, slots


@njit(cache=True)
def _begin(now: int, queue: Rows, row: int, run: Rows, running: int) -> None:
    """A row of the queue among the running ones, which stay sorted."""
    limit = now + queue.limit[row]
    to = running
    while to > 0 and run.limit[to - 1] > limit:
        _copy(run, to - 1, run, to)
        to -= 1
    _copy(queue, row, run, to)
    run.limit[to] = limit
    run.likely[to] += now
    run.since[to] = now


@njit(cache=True)
def _decide(
    now: int, free: int, queue: Rows, waiting: int, run: Rows, running: int, first: int, due: int
) -> tuple[Ints, int, int, int]:
    """Who starts; how many wait and run then, and the slots left free."""
    begun = np.empty(waiting, np.int64)
    count = 0
    if queue.slots[:waiting].min() > free:
        return begun[:0], waiting, running, free
    order = np.argsort(queue.rank[:waiting], kind="mergesort")
    gone = np.zeros(waiting, np.bool_)
    steps = running + 2 * waiting + 2
    times, level, size = np.empty(steps, np.int64), np.empty(steps, np.int64), 0
    for row in order:
        slots = queue.slots[row]
        if free == 0:
            break
        kept = first > 0 or (due > 0 and queue.rank[row] <= now)
        if slots > free and not kept:
            continue
        if size > 0 or slots > free:
            if size == 0:
                size = _calendar(now, free, run, running, times, level)
            at = now
            length = max(1, queue.limit[row])
            if kept:
                at = earliest(times, level, size, now, length, slots)
            elif lowest(times, level, size, now, now + length) < slots:
                continue
            size = occupy(times, level, size, at, at + length, slots)
            if at > now:
                if first > 0:
                    first -= 1
                else:
                    due -= 1
                continue
        gone[row] = True
        _begin(now, queue, row, run, running)
        begun[count] = queue.job[row]
        running, count, free = running + 1, count + 1, free - slots
    left = 0
    for row in range(waiting):
        if not gone[row]:
            _copy(queue, row, queue, left)
            left += 1
    return begun[:count], left, running, free


@njit(cache=True)
def _calendar(now: int, free: int, run: Rows, running: int, times: Steps, level: Steps) -> int:
    """What runs, until it must end; a job beyond its limit for a second more. The size."""
    times[0], level[0], size = now, free, 1
    for row in range(running):
        end = max(run.limit[row], now + 1)
        if times[size - 1] != end:
            times[size], level[size] = end, level[size - 1]
            size += 1
        level[size - 1] += run.slots[row]
    return size


@njit(cache=True)
def _left(now: int, run: Rows, row: int) -> int:
    """How much longer a job runs: until its likely end; past that half as long again as it has, within its
    limit."""
    left = int(run.likely[row]) - now
    if left <= 0:
        left = (now - int(run.since[row])) // 2
    return max(0, min(left, int(run.limit[row]) - now))


@njit(cache=True)
def _backlog(now: int, queue: Rows, waiting: int, run: Rows, running: int, below: float) -> int:
    work = 0
    for row in range(running):
        work += int(run.slots[row]) * _left(now, run, row)
    for row in range(waiting):
        if queue.rank[row] < below:
            work += int(queue.slots[row] * queue.likely[row])
    return work


@njit(cache=True)
def _planned(
    now: int, free: int, slots: int, queue: Rows, waiting: int, run: Rows, running: int, of: int
) -> float:
    left = np.empty(running, np.int64)
    for row in range(running):
        left[row] = max(1, _left(now, run, row))
    steps = running + 2 * waiting + 2
    times, level, size = np.empty(steps, np.int64), np.empty(steps, np.int64), 1
    times[0], level[0] = 0, free
    for row in np.argsort(left, kind="mergesort"):
        if times[size - 1] != left[row]:
            times[size], level[size] = left[row], level[size - 1]
            size += 1
        level[size - 1] += run.slots[row]
    rest = 0
    planned = 0
    for row in np.argsort(queue.rank[:waiting], kind="mergesort"):
        length = max(1, queue.likely[row])
        if row == of:
            return earliest(times, level, size, 0, length, queue.slots[row]) + rest / slots
        if planned < PLANNED:
            at = earliest(times, level, size, 0, length, queue.slots[row])
            size = occupy(times, level, size, at, at + length, queue.slots[row])
            planned += 1
        else:
            rest += length * queue.slots[row]
    return 0.0
