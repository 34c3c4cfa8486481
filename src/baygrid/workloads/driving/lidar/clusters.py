"""Points above the road, put together to objects as seen from above.

Cells of 0.2 m that hold points are one object where they are closer than a reach that grows with the
distance from the vehicle, as the gaps between its beams do. Connected components by a disjoint-set forest.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit
from baygrid.workloads.driving.lidar.ground import REACH

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LOW: Final = 0.25
"""Metres above the ground from which on a point belongs to an object."""
HIGH: Final = 4.5
"""Metres above the ground up to which a point does: bridges and crowns of trees do not join what is below."""

_CELL: Final = 0.2
_SIDE: Final = int(2 * REACH / _CELL)
_GAP: Final = 0.35
"""Metres between two cells of one object beside the vehicle."""
_WIDER: Final = 0.008
"""Metres that the gap grows by per metre from it, across the rays."""
_DEEPER: Final = 0.02
"""The same along the rays, up to _DEEPEST metres: a car's side is met by few of those that graze it."""
_DEEPEST: Final = 0.95


@njit(cache=True, nogil=True)
def clusters(points: Floats, above: Floats) -> tuple[Ints, Ints]:
    """The objects among `points` (n, 3 or more), `above` (n,) their heights over the ground, in metres.

    Returns `order` (m,), indices into `points`, those of one object together, and `starts` (k + 1,): object
    j is `order[starts[j]:starts[j + 1]]`. Objects in the order in which their first point comes."""
    grid = np.full((_SIDE, _SIDE), -1, np.int32)
    held = np.full(points.shape[0], -1, np.int32)
    rows = np.empty(points.shape[0], np.int32)
    columns = np.empty(points.shape[0], np.int32)
    cells = 0
    for i in range(points.shape[0]):
        if not (above[i] > LOW and above[i] < HIGH):
            continue
        a = int((points[i, 0] + REACH) / _CELL)
        b = int((points[i, 1] + REACH) / _CELL)
        if grid[a, b] < 0:
            grid[a, b] = cells
            rows[cells], columns[cells] = a, b
            cells += 1
        held[i] = grid[a, b]
    return _gathered(held, _joined(grid, rows, columns, cells))


@njit(cache=True, nogil=True)
def _root(parent: Ints, at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


@njit(cache=True, nogil=True)
def _joined(grid: Ints, rows: Ints, columns: Ints, cells: int) -> Ints:
    """The root of each cell."""
    parent = np.arange(cells).astype(np.int32)
    for cell in range(cells):
        a, b = rows[cell], columns[cell]
        x, y = (a + 0.5) * _CELL - REACH, (b + 0.5) * _CELL - REACH
        away = math.hypot(x, y) + 1e-6
        across = (_GAP + _WIDER * away) / _CELL
        along = max(across, min(_GAP + _DEEPER * away, _DEEPEST) / _CELL)
        reach = int(along)
        for da in range(reach + 1):
            if a + da >= _SIDE:
                break
            for db in range(-reach if da else 1, reach + 1):
                if not 0 <= b + db < _SIDE or grid[a + da, b + db] < 0:
                    continue
                deep, wide = (da * x + db * y) / away / along, (db * x - da * y) / away / across
                if deep * deep + wide * wide <= 1.0:
                    one, two = _root(parent, cell), _root(parent, grid[a + da, b + db])
                    parent[max(one, two)] = min(one, two)
    for cell in range(cells):
        parent[cell] = _root(parent, cell)
    return parent


@njit(cache=True, nogil=True)
def _gathered(held: Ints, root: Ints) -> tuple[Ints, Ints]:
    """The points of each object together: a counting sort by object."""
    number = np.full(root.shape[0], -1, np.int32)
    sizes = np.zeros(root.shape[0] + 1, np.int32)
    objects = 0
    for i in range(held.shape[0]):
        if held[i] >= 0:
            top = root[held[i]]
            if number[top] < 0:
                number[top] = objects
                objects += 1
            sizes[number[top] + 1] += 1
    starts = np.cumsum(sizes[: objects + 1]).astype(np.int32)
    after = starts.copy()
    order = np.empty(starts[objects], np.int32)
    for i in range(held.shape[0]):
        if held[i] >= 0:
            mine = number[root[held[i]]]
            order[after[mine]] = i
            after[mine] += 1
    return order, starts
