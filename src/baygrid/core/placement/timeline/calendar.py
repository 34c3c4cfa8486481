"""How many of a pool's equal slots are free from when on: what runs, advance reservations, and the places
kept for jobs that wait. Answers where a job fits first.

Steps: `times[i]` (seconds, rising) begins a stretch with `free[i]` slots; the last goes on for ever. Only the
first `size` entries count. The functions on arrays are compiled, for decisions that ask thousands of times;
the class is for everybody else.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Steps = NDArray[np.int64]

FOREVER: Final = 1 << 60
"""An end that never comes, and the answer where a job never fits. Seconds."""


class Calendar:
    """Of `slots` equal slots, all free from `now` on. Times in seconds, before `now` nothing is known."""

    def __init__(self, now: int, slots: int) -> None:
        self._times: Steps = np.full(16, now, dtype=np.int64)
        self._free: Steps = np.full(16, slots, dtype=np.int64)
        self._size = 1
        self.slots = slots

    @property
    def now(self) -> int:
        return int(self._times[0])

    def steps(self) -> list[tuple[int, int]]:
        """(from when on, free slots), the last for ever."""
        return list(zip(self._times[: self._size].tolist(), self._free[: self._size].tolist(), strict=True))

    def take(self, slots: int, begin: int, end: int) -> None:
        """`slots` are in use from `begin` until `end` (what lies before now does not count).

        Raises `ValueError` where so many are not free for all of it; then nothing is taken."""
        begin = max(begin, self.now)
        if end <= begin:
            return
        if lowest(self._times, self._free, self._size, begin, end) < slots:
            raise ValueError(f"{slots} slots are not free from {begin} to {end}")
        if self._size + 2 > len(self._times):
            self._times = np.concatenate((self._times, self._times))
            self._free = np.concatenate((self._free, self._free))
        self._size = occupy(self._times, self._free, self._size, begin, end, slots)

    def earliest(self, slots: int, duration: int, after: int | None = None) -> int | None:
        """When `slots` are free for `duration` seconds first, from `after` (None: now) on. None: never."""
        after = self.now if after is None else max(after, self.now)
        found = int(earliest(self._times, self._free, self._size, after, duration, slots))
        return None if found == FOREVER else found


@njit(cache=True)
def holding(times: Steps, size: int, at: int) -> int:
    """The step that holds `at`, which is not before the first."""
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        if times[middle] <= at:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def lowest(times: Steps, free: Steps, size: int, begin: int, end: int) -> int:
    """The fewest slots free in [begin, end), which is not empty."""
    step = holding(times, size, begin)
    least = int(free[step])
    step += 1
    while step < size and times[step] < end:
        least = min(least, int(free[step]))
        step += 1
    return least


@njit(cache=True)
def earliest(times: Steps, free: Steps, size: int, after: int, duration: int, slots: int) -> int:
    """As `Calendar.earliest`; `FOREVER`: never."""
    step = holding(times, size, after)
    begin = after
    while True:
        while step < size and free[step] < slots:
            step += 1
        if step == size:
            return FOREVER
        begin = max(after, times[step])
        until = begin + duration
        step += 1
        while step < size and times[step] < until and free[step] >= slots:
            step += 1
        if step == size or times[step] >= until:
            return int(begin)


@njit(cache=True)
def occupy(times: Steps, free: Steps, size: int, begin: int, end: int, slots: int) -> int:
    """Takes `slots` in [begin, end). The arrays have room for two steps more. The new size."""
    first, size = _cut(times, free, size, begin)
    last, size = _cut(times, free, size, end)
    for step in range(first, last):
        free[step] -= slots
    return size


@njit(cache=True)
def _cut(times: Steps, free: Steps, size: int, at: int) -> tuple[int, int]:
    """A step begins at `at`: which one, and the new size."""
    step = holding(times, size, at)
    if times[step] == at:
        return step, size
    step += 1
    for later in range(size, step, -1):
        times[later] = times[later - 1]
        free[later] = free[later - 1]
    times[step] = at
    free[step] = free[step - 1]
    return step, size + 1
