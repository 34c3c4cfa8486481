"""Gangs that wait, in one heap per size, so that a round looks only at the first of each size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Waiting(NamedTuple):
    """`heap[base[k] : base[k] + waits[k]]` is the heap of size class `k`: gang numbers, least key first, then
    least number."""

    heap: Ints
    base: Ints
    waits: Ints


def waiting(kinds: Ints, classes: int) -> Waiting:
    """Room for all gangs of these size classes, nobody waiting yet."""
    members = np.bincount(kinds, minlength=classes)
    base = np.concatenate(([0], np.cumsum(members)[:-1]))
    return Waiting(np.zeros(len(kinds), np.int64), base.astype(np.int64), np.zeros(classes, np.int64))


@njit(cache=True)
def before(keys: Floats, one: int, other: int) -> bool:
    """Whether `one` comes first: by key, then by number."""
    return keys[one] < keys[other] or (keys[one] == keys[other] and one < other)


@njit(cache=True)
def push(queue: Waiting, keys: Floats, kind: int, gang: int) -> None:
    """Let a gang wait; its key must not change while it does, or `reorder` follows."""
    base = queue.base[kind]
    at = queue.waits[kind]
    queue.waits[kind] += 1
    while at > 0:
        up = (at - 1) // 2
        if not before(keys, gang, queue.heap[base + up]):
            break
        queue.heap[base + at] = queue.heap[base + up]
        at = up
    queue.heap[base + at] = gang


@njit(cache=True)
def pop(queue: Waiting, keys: Floats, kind: int) -> None:
    """Take the first gang of a size class out."""
    queue.waits[kind] -= 1
    count = queue.waits[kind]
    base = queue.base[kind]
    if count > 0:
        _sift(queue.heap[base : base + count], keys, 0, queue.heap[base + count])


@njit(cache=True)
def reorder(queue: Waiting, keys: Floats) -> None:
    """Make the heaps right again after keys changed."""
    for kind in range(len(queue.base)):
        heap = queue.heap[queue.base[kind] : queue.base[kind] + queue.waits[kind]]
        for at in range(len(heap) // 2 - 1, -1, -1):
            _sift(heap, keys, at, heap[at])


@njit(cache=True)
def _sift(heap: Ints, keys: Floats, at: int, gang: int) -> None:
    while True:
        down = 2 * at + 1
        if down >= len(heap):
            break
        if down + 1 < len(heap) and before(keys, heap[down + 1], heap[down]):
            down += 1
        if not before(keys, heap[down], gang):
            break
        heap[at] = heap[down]
        at = down
    heap[at] = gang
