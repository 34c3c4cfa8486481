"""The upright box around an object's points, of which a lidar sees one or two sides.

The side walls of a car stand in an L from above. Its yaw is searched: the one at which the points lie
closest to the box's sides. X. Zhang, W. Xu, C. Dong, J. M. Dolan, "Efficient L-shape fitting for vehicle
detection using laser scanners", IEEE Intelligent Vehicles Symposium 2017, with the closeness criterion;
first in steps of 5 degrees, then of 1 around the best. The main axes of the points would lie along the
diagonal of a car seen from its corner."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

X, Y, LENGTH, WIDTH, YAW, BOTTOM, TOP, GROUND, COUNT, RISE = range(10)
"""Columns of what `fitted` returns: the box's centre (m), its sizes (length is the longer), yaw of its length
(radians), the lowest and the highest point over the ground (m), the ground's z (m), how many points, and the
greatest slope up from the eye to a point of it (tangent)."""

_EYE: Final = 1.8
"""Metres above the road at which a lidar is taken to look from where only slopes of its rays are compared."""
_MOST: Final = 160
"""Points of an object that are looked at for its yaw, evenly taken: its sides are no clearer by more."""
_LARGE: Final = 16.0
"""Metres from corner to corner above which an object is no vehicle and its yaw is not searched."""
_CLOSE: Final = 0.05
"""Metres below which a point counts as on the side: the noise of a lidar's range."""
_COARSE: Final = 5.0
_FINE: Final = 1.0


@njit(cache=True, nogil=True)
def fitted(points: Floats, away: Floats, above: Floats, order: Ints, starts: Ints) -> NDArray[np.float64]:
    """The boxes (k, 10) of k objects as `clusters` gives them, in its order; `away` and `above` (n,) are the
    points' distances and heights."""
    objects = starts.shape[0] - 1
    boxes = np.zeros((objects, 10))
    flat = np.empty((_MOST, 2))
    for j in range(objects):
        members = order[starts[j] : starts[j + 1]]
        box = boxes[j]
        _upright(points, away, above, members, box)
        corner = _corner_to_corner(points, members)
        step = max(1.0, members.shape[0] / _MOST)
        count = min(members.shape[0], _MOST)
        for i in range(count):
            flat[i, 0] = points[members[int(i * step)], 0]
            flat[i, 1] = points[members[int(i * step)], 1]
        yaw = _searched(flat[:count]) if count > 2 and corner < _LARGE else 0.0
        _sides(points, members, yaw, box)
    return boxes


@njit(cache=True, nogil=True)
def _upright(points: Floats, away: Floats, above: Floats, members: Ints, box: NDArray[np.float64]) -> None:
    box[BOTTOM], box[TOP], box[RISE], box[GROUND] = 1e9, -1e9, -1e9, 0.0
    for i in members:
        box[BOTTOM] = min(box[BOTTOM], above[i])
        box[TOP] = max(box[TOP], above[i])
        box[GROUND] += points[i, 2] - above[i]
        box[RISE] = max(box[RISE], (points[i, 2] - _EYE) / max(away[i], 0.1))
    box[GROUND] /= members.shape[0]
    box[COUNT] = members.shape[0]


@njit(cache=True, nogil=True)
def _corner_to_corner(points: Floats, members: Ints) -> float:
    left, right, low, high = 1e9, -1e9, 1e9, -1e9
    for i in members:
        left, right = min(left, points[i, 0]), max(right, points[i, 0])
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    return math.hypot(right - left, high - low)


@njit(cache=True, nogil=True)
def _searched(flat: NDArray[np.float64]) -> float:
    """The yaw in [0, pi/2) under which the points (n, 2) are closest to the sides of their box."""
    best, most = 0.0, -1.0
    for step in range(int(90.0 / _COARSE)):
        yaw = math.radians(step * _COARSE)
        close = _closeness(flat, yaw)
        if close > most:
            best, most = yaw, close
    middle = best
    for step in range(-4, 5):
        yaw = middle + math.radians(step * _FINE)
        close = _closeness(flat, yaw)
        if close > most:
            best, most = yaw, close
    return best


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _closeness(flat: NDArray[np.float64], yaw: float) -> float:
    """Sum over the points of 1 / distance to the nearer of two sides: of each pair of opposite sides, the one
    that is closer to all points."""
    c, s = math.cos(yaw), math.sin(yaw)
    low1, high1, low2, high2, sum1, sum2 = 1e9, -1e9, 1e9, -1e9, 0.0, 0.0
    count = flat.shape[0]
    for i in range(count):
        one, two = c * flat[i, 0] + s * flat[i, 1], c * flat[i, 1] - s * flat[i, 0]
        low1, high1 = min(low1, one), max(high1, one)
        low2, high2 = min(low2, two), max(high2, two)
        sum1 += one
        sum2 += two
    side1 = high1 if count * high1 - sum1 < sum1 - count * low1 else low1
    side2 = high2 if count * high2 - sum2 < sum2 - count * low2 else low2
    close = 0.0
    for i in range(count):
        one, two = c * flat[i, 0] + s * flat[i, 1], c * flat[i, 1] - s * flat[i, 0]
        close += 1.0 / max(min(abs(one - side1), abs(two - side2)), _CLOSE)
    return close


@njit(cache=True, nogil=True)
def _sides(points: Floats, members: Ints, yaw: float, box: NDArray[np.float64]) -> None:
    """Centre, sizes and yaw of the box around all points whose sides stand at `yaw`."""
    c, s = math.cos(yaw), math.sin(yaw)
    low1, high1, low2, high2 = 1e9, -1e9, 1e9, -1e9
    for i in members:
        one, two = c * points[i, 0] + s * points[i, 1], c * points[i, 1] - s * points[i, 0]
        low1, high1 = min(low1, one), max(high1, one)
        low2, high2 = min(low2, two), max(high2, two)
    middle1, middle2 = (low1 + high1) / 2, (low2 + high2) / 2
    box[X], box[Y] = c * middle1 - s * middle2, s * middle1 + c * middle2
    along, across = high1 - low1, high2 - low2
    box[LENGTH], box[WIDTH] = max(along, across), min(along, across)
    box[YAW] = yaw if along >= across else yaw + math.pi / 2


@njit(cache=True, nogil=True)
def steepest(points: Floats, away: Floats) -> float:
    """The greatest slope up from the eye to any of `points`, which are so far `away`."""
    most = -1e9
    for i in range(points.shape[0]):
        most = max(most, (points[i, 2] - _EYE) / max(away[i], 0.1))
    return most
