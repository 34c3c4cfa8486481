"""Which box of a sweep is which track's, and where it says that the track's centre is.

A lidar sees the sides of a thing that are turned to it, so what is measured of a car is its near end; its
centre lies half of the car's length behind that, and the length is what the track remembers. Pairs are
found by the Hungarian method on squared distances over their variance."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit
from baygrid.workloads.driving.tracking.assignment import assigned

Floats = NDArray[np.float64]

GATE: Final = 13.8
"""Squared distance over variance that a pair may have: chi-squared of 2 degrees of freedom at 99.9 %."""
_FAR: Final = 1e6
_ALIKE: Final = math.radians(20.0)
"""Angle (modulo a right one) between box and track up to which their sides are taken for the same."""


@njit(cache=True, nogil=True)
def centres(tracks: Floats, boxes: Floats) -> Floats:
    """Where each of `boxes` (m, 5) says the centre of each of `tracks` (n, 5) is: (n, m, 2). Columns of
    both: x, y, yaw, length, width in the vehicle frame."""
    out = np.empty((tracks.shape[0], boxes.shape[0], 2))
    for i in range(tracks.shape[0]):
        c, s = math.cos(tracks[i, 2]), math.sin(tracks[i, 2])
        for j in range(boxes.shape[0]):
            one, two = c * boxes[j, 0] + s * boxes[j, 1], c * boxes[j, 1] - s * boxes[j, 0]
            turned = boxes[j, 2] - tracks[i, 2]
            along, across = _extent(turned, boxes[j, 3], boxes[j, 4])
            one = _middle(one - along / 2, one + along / 2, tracks[i, 3])
            two = _middle(two - across / 2, two + across / 2, tracks[i, 4])
            out[i, j, 0], out[i, j, 1] = c * one - s * two, s * one + c * two
    return out


@njit(cache=True, nogil=True)
def _extent(turned: float, length: float, width: float) -> tuple[float, float]:
    """How long a box is along and across the axis of a track that it is turned against."""
    quarters = round(turned / (math.pi / 2))
    if abs(turned - quarters * math.pi / 2) < _ALIKE:
        return (length, width) if quarters % 2 == 0 else (width, length)
    c, s = abs(math.cos(turned)), abs(math.sin(turned))
    return length * c + width * s, length * s + width * c


@njit(cache=True, nogil=True)
def _middle(low: float, high: float, size: float) -> float:
    """The middle of a thing of `size` on an axis on which [low, high] is seen of it from 0."""
    if low > 0.0:
        return low + size / 2
    if high < 0.0:
        return high - size / 2
    return (low + high) / 2


@njit(cache=True, nogil=True)
def within(tracks: Floats, boxes: Floats, margin: float) -> NDArray[np.bool_]:
    """Whether the centre of each box lies in each track's outline, grown by `margin`: (n, m)."""
    out = np.zeros((tracks.shape[0], boxes.shape[0]), np.bool_)
    for i in range(tracks.shape[0]):
        c, s = math.cos(tracks[i, 2]), math.sin(tracks[i, 2])
        for j in range(boxes.shape[0]):
            x, y = boxes[j, 0] - tracks[i, 0], boxes[j, 1] - tracks[i, 1]
            along, across = abs(c * x + s * y), abs(c * y - s * x)
            out[i, j] = along < tracks[i, 3] / 2 + margin and across < tracks[i, 4] / 2 + margin
    return out


@njit(cache=True, nogil=True)
def hidden(tracks: Floats) -> NDArray[np.bool_]:
    """Whether another of `tracks` (n, 5) stands between the vehicle and the centre of each: (n,)."""
    out = np.zeros(tracks.shape[0], np.bool_)
    for i in range(tracks.shape[0]):
        for j in range(tracks.shape[0]):
            if i != j and _between(tracks[j], tracks[i, 0], tracks[i, 1]):
                out[i] = True
    return out


@njit(cache=True, nogil=True)
def _between(box: Floats, x: float, y: float) -> bool:
    """Whether the line from the vehicle to x, y goes through a box, and ends outside of it."""
    c, s = math.cos(box[2]), math.sin(box[2])
    begin = (-c * box[0] - s * box[1], s * box[0] - c * box[1])
    end = (begin[0] + c * x + s * y, begin[1] + c * y - s * x)
    enters, leaves = 0.0, 1.0
    for axis in range(2):
        half, step = box[3 + axis] / 2, end[axis] - begin[axis]
        if abs(step) < 1e-9:
            if abs(begin[axis]) > half:
                return False
            continue
        one, two = (-half - begin[axis]) / step, (half - begin[axis]) / step
        enters, leaves = max(enters, min(one, two)), min(leaves, max(one, two))
    return 0.0 < enters < leaves < 1.0


def pairs(cost: Floats) -> list[tuple[int, int]]:
    """The pairs of least cost in all of `cost` (n, m), none of them above GATE."""
    if not cost.size:
        return []
    allowed = cost <= GATE
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    if not len(rows):
        return []
    small = np.where(allowed, cost, _FAR)[np.ix_(rows, columns)]
    chosen = enumerate(assigned(small).tolist())
    return [(int(rows[i]), int(columns[j])) for i, j in chosen if j >= 0 and small[i, j] <= GATE]
