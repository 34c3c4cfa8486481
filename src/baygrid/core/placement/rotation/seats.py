"""Seats of gangs on equal nodes: a gang gets all its GPUs in one round, or none.

The rule of spanning is that of Muri's simulator (Zhao et al., SIGCOMM'22; its "yarn" placement): a gang of
at most one node's width sits on one node; a wider one takes `gpus // width` empty nodes whole, and the rest,
if any, on one more. Three ways to fill the nodes:

* `IN_ORDER`, as published: each gang in turn takes the first node by number with room. Small gangs break up
  nodes that wider gangs behind them need.
* `COUNTED`, as published for Tiresias: only the GPUs in all are counted.
* `PACKED`: a gang is let in when all let in so far and it can be laid out again, widest first, each part on
  the tightest node. Where every size divides the next (1, 2, 4, 8, 16, ...) that loses nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]

COUNTED: Final = 0
IN_ORDER: Final = 1
PACKED: Final = 2


class Floor(NamedTuple):
    """The nodes during one round. All arrays are written over by every round.

    `free`: GPUs left on each node, by number (`IN_ORDER`). `room[f]`: nodes with `f` GPUs left, `spare` the
    same for a layout on trial, `parts[p]`: parts of `p` GPUs let in, whole nodes under `width` (`PACKED`).
    """

    nodes: int
    width: int
    rule: int
    smooth: bool
    free: Ints
    room: Ints
    spare: Ints
    parts: Ints


def floor(nodes: int, width: int, rule: int, sizes: Ints) -> Floor:
    """An empty floor for gangs of these sizes. Packing is counting where no layout can go wrong."""
    smooth = rule == COUNTED or (rule == PACKED and _divide(width, sizes))
    spaces = np.zeros((3, width + 1), np.int64)
    return Floor(nodes, width, rule, smooth, np.zeros(nodes, np.int64), spaces[0], spaces[1], spaces[2])


def _divide(width: int, sizes: Ints) -> bool:
    """Whether each size divides the next wider, and the node's width lies in that chain."""
    chain = sorted({int(size) for size in sizes if size <= width} | {width})
    steps = all(wide % narrow == 0 for narrow, wide in pairwise(chain))
    return steps and all(int(size) % width == 0 for size in sizes if size > width)


@njit(cache=True)
def clear(floor: Floor) -> None:
    """All nodes empty again, for the next round."""
    floor.free[:] = floor.width
    floor.room[:] = 0
    floor.room[floor.width] = floor.nodes
    floor.parts[:] = 0


@njit(cache=True)
def take(floor: Floor, gpus: int) -> bool:
    """Seat one gang; False, and nothing changed, where it has no room. The caller counts GPUs in all."""
    if floor.smooth:
        return True
    if floor.rule == IN_ORDER:
        return _take_first(floor.free, floor.width, gpus)
    whole, rest = gpus // floor.width, gpus % floor.width
    floor.parts[floor.width] += whole
    floor.parts[rest] += 1
    if _take_tightest(floor.room, floor.width, whole, rest):
        return True
    if lay_out(floor.parts, floor.nodes, floor.spare):
        floor.room[:] = floor.spare
        return True
    floor.parts[floor.width] -= whole
    floor.parts[rest] -= 1
    return False


@njit(cache=True)
def _take_first(free: Ints, width: int, gpus: int) -> bool:
    whole, rest = gpus // width, gpus % width
    last = -1
    empty = 0
    for node in range(len(free)):
        if empty < whole and free[node] == width:
            empty += 1
        elif rest > 0 and last < 0 and free[node] >= rest:
            last = node
    if empty < whole or (rest > 0 and last < 0):
        return False
    for node in range(len(free)):
        if whole > 0 and free[node] == width and node != last:
            free[node] = 0
            whole -= 1
    if rest > 0:
        free[last] -= rest
    return True


@njit(cache=True)
def _take_tightest(room: Ints, width: int, whole: int, rest: int) -> bool:
    if room[width] < whole:
        return False
    if rest == 0:
        room[width] -= whole
        room[0] += whole
        return True
    room[width] -= whole
    for left in range(rest, width + 1):
        if room[left] > 0:
            room[left] -= 1
            room[left - rest] += 1
            room[0] += whole
            return True
    room[width] += whole
    return False


@njit(cache=True)
def lay_out(parts: Ints, nodes: int, room: Ints) -> bool:
    """Lay all parts out afresh, widest first, each on the tightest node (best fit decreasing).

    `parts[p]`: how many parts of `p` GPUs. `room` is written: nodes by GPUs left. False where a part is left
    over; `room` is then of no use.
    """
    width = len(parts) - 1
    room[:] = 0
    room[width] = nodes
    for part in range(width, 0, -1):
        for _ in range(parts[part]):
            left = part
            while left <= width and room[left] == 0:
                left += 1
            if left > width:
                return False
            room[left] -= 1
            room[left - part] += 1
    return True
