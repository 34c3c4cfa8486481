"""Which objects are partly hidden: where one ends beside something nearer, its end is not its own."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_COLUMNS: Final = 1024
"""Parts of the turn in which the nearest thing is looked up: about a ray of a usual lidar each."""
_BESIDE: Final = 3
"""Columns beside an object's own in which something may hide it."""
_NEARER: Final = 0.7
"""Metres by which it must be nearer."""


@njit(cache=True, nogil=True)
def shadowed(distance: Floats, bearing: Floats, order: Ints, starts: Ints) -> Ints:
    """How many of the two ends of each object, seen from above, lie in another's shadow: (k,) of 0, 1, 2.
    Objects as `clusters` gives them, `distance` and `bearing` of all points as `polar` does."""
    nearest = np.full(_COLUMNS, np.inf)
    owner = np.full(_COLUMNS, -1, np.int32)
    columns = np.empty(order.shape[0], np.int32)
    away = np.empty(order.shape[0])
    objects = starts.shape[0] - 1
    for j in range(objects):
        for i in range(starts[j], starts[j + 1]):
            away[i] = distance[order[i]]
            columns[i] = int((bearing[order[i]] / (2 * math.pi) + 1.0) * _COLUMNS) % _COLUMNS
            if away[i] < nearest[columns[i]]:
                nearest[columns[i]], owner[columns[i]] = away[i], j
    out = np.zeros(objects, np.int32)
    for j in range(objects):
        first, last = starts[j], starts[j + 1]
        right, left = _ends(columns[first:last])
        for end, step in ((right, -1), (left, 1)):
            its = np.inf
            for i in range(first, last):
                if columns[i] == end:
                    its = min(its, away[i])
            for k in range(_BESIDE + 1):
                at = (end + step * k) % _COLUMNS
                if owner[at] != j and nearest[at] < its - _NEARER:
                    out[j] += 1
                    break
    return out


@njit(cache=True, nogil=True)
def _ends(columns: Ints) -> tuple[int, int]:
    """The rightmost and leftmost of some columns that lie in less than half a turn."""
    low, high = 0, 0
    for column in columns:
        off = (column - columns[0] + _COLUMNS // 2) % _COLUMNS - _COLUMNS // 2
        low, high = min(low, off), max(high, off)
    return (columns[0] + low) % _COLUMNS, (columns[0] + high) % _COLUMNS
