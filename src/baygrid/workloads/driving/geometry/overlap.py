"""How much two boxes lie on each other, seen from above."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def overlaps(one: Floats, two: Floats) -> Floats:
    """Intersection over union of rectangles: (n, m) of `one` (n, 5) and `two` (m, 5), columns x, y, yaw,
    length, width."""
    out = np.zeros((one.shape[0], two.shape[0]))
    for i in range(one.shape[0]):
        for j in range(two.shape[0]):
            reach = math.hypot(one[i, 3], one[i, 4]) + math.hypot(two[j, 3], two[j, 4])
            if math.hypot(one[i, 0] - two[j, 0], one[i, 1] - two[j, 1]) < reach / 2:
                shared = _shared(one[i], two[j])
                out[i, j] = shared / max(one[i, 3] * one[i, 4] + two[j, 3] * two[j, 4] - shared, 1e-9)
    return out


@njit(cache=True, nogil=True)
def _shared(one: Floats, two: Floats) -> float:
    """Area of the intersection: `two`, in the frame of `one`, is cut off along its four sides (I. E.
    Sutherland, G. W. Hodgman, "Reentrant polygon clipping", Communications of the ACM 17, 1974)."""
    c, s = math.cos(one[2]), math.sin(one[2])
    x, y = two[0] - one[0], two[1] - one[1]
    u, v = math.cos(two[2] - one[2]), math.sin(two[2] - one[2])
    corners = np.empty((16, 2))
    count = 4
    for k in range(4):
        a = two[3] / 2 * (1.0 if k in (0, 3) else -1.0)
        b = two[4] / 2 * (1.0 if k < 2 else -1.0)
        corners[k, 0] = c * x + s * y + u * a - v * b
        corners[k, 1] = c * y - s * x + v * a + u * b
    for side in range(4):
        axis, sign = side // 2, 1.0 - 2.0 * (side % 2)
        corners, count = _cut(corners, count, axis, sign, one[3 + axis] / 2)
    area = 0.0
    for k in range(count):
        after = (k + 1) % count
        area += corners[k, 0] * corners[after, 1] - corners[after, 0] * corners[k, 1]
    return abs(area) / 2


@njit(cache=True, nogil=True)
def _cut(corners: Floats, count: int, axis: int, sign: float, limit: float) -> tuple[Floats, int]:
    """The part of a polygon where sign * coordinate is no greater than the limit."""
    out, kept = np.empty((16, 2)), 0
    for k in range(count):
        after = (k + 1) % count
        here, there = sign * corners[k, axis] - limit, sign * corners[after, axis] - limit
        if here <= 0.0:
            out[kept] = corners[k]
            kept += 1
        if (here < 0.0 < there) or (there < 0.0 < here):
            part = here / (here - there)
            out[kept] = corners[k] + part * (corners[after] - corners[k])
            kept += 1
    return out, kept
