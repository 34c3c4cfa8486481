"""How many of a pool's equal slots are free from when on: what runs, advance reservations, and the places
kept for jobs that wait. Answers where a job fits first.

Steps: `times[i]` (seconds, rising) begins a stretch with `free[i]` slots; the last goes on for ever. Only the
first `size` entries count. The functions are compiled, for decisions that ask thousands of times.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Steps = NDArray[np.int64]

FOREVER: Final = 1 << 60
"""An end that never comes, and the answer where a job never fits. Seconds."""


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
    """When `slots` are free for `duration` seconds first, from `after` on, which is not before the first
    step; `FOREVER`: never."""
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
