"""What a fitted box is, by its size and shape, and the whole of a car of which one side is seen."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from baygrid.workloads.driving.fitting import BOTTOM, COUNT, LENGTH, RISE, TOP, WIDTH, YAW, X, Y
from baygrid.workloads.driving.frames import CYCLIST, KINDS, OTHER, PEDESTRIAN, VEHICLE

Boxes = NDArray[np.float64]

NOTHING: Final = -1
"""No thing of the traffic: a wall, a pole, a tree, a kerb. Else an index into frames.KINDS."""
_VEHICLE: Final = KINDS.index(VEHICLE)
_PEDESTRIAN: Final = KINDS.index(PEDESTRIAN)
_CYCLIST: Final = KINDS.index(CYCLIST)
_OTHER: Final = KINDS.index(OTHER)

_FEWEST: Final = 4
"""Points below which a cluster is noise."""
_HANGS: Final = 1.2
"""Metres above the road: what begins higher is a sign or a branch."""
_CUT: Final = 0.03
"""Slope from the sweep's steepest ray: what reaches within it may go on higher than is seen."""
_TALL: Final = 1.95
"""Metres: no person or cyclist, and no car, is cut off by the highest ray at more than this."""

_NARROW: Final = 0.2
"""Metres: what is no wider is one ray's column of a side that the others miss, not a person."""

_GROWN: Final = 1.45
"""Metres: lower ones may well be pieces of a car."""
_BESIDE: Final = 6.0
"""Metres within which a thing as long as a van that is cut off is one, not a wall."""
_SHADOW: Final = 0.5
"""How sure an object still is for each end that lies in another's shadow."""
_CAR: Final = (4.4, 1.8)
"""Length and width (m) of a car of which no more than one side was seen."""
_PERSON: Final = (0.5, 0.5)
_RIDER: Final = (1.7, 0.6)
_SIDE: Final = 2.4
"""Metres: no car is this wide, so a side this long is the car's length."""


@njit(cache=True, nogil=True)
def judged(boxes: Boxes, shadows: NDArray[np.int32], steepest: float) -> tuple[NDArray[np.int32], Boxes]:
    """The kind of each of `boxes` (k, 10; see `fitting`) and how sure it is (0 to 1), (k,) each; `steepest`
    is the greatest slope up of the sweep's points. What is hidden of the boxes is added in place."""
    kinds = np.empty(boxes.shape[0], np.int32)
    scores = np.empty(boxes.shape[0])
    for j in range(boxes.shape[0]):
        kinds[j], likely = _kind(boxes[j], steepest)
        scores[j] = likely * _SHADOW ** shadows[j] * (1.0 - math.exp(-boxes[j, COUNT] / 5.0))
        if kinds[j] == _VEHICLE:
            _completed(boxes[j])
        elif kinds[j] == _PEDESTRIAN or kinds[j] == _CYCLIST:
            least = _PERSON if kinds[j] == _PEDESTRIAN else _RIDER
            _stretched(boxes[j], LENGTH, boxes[j, YAW], least[0])
            _stretched(boxes[j], WIDTH, boxes[j, YAW] + math.pi / 2, least[1])
    return kinds, scores


@njit(cache=True, nogil=True)
def _kind(box: NDArray[np.float64], steepest: float) -> tuple[int, float]:
    length, width, top = box[LENGTH], box[WIDTH], box[TOP]
    goes_on = box[RISE] > steepest - _CUT and top > _TALL
    if box[COUNT] < _FEWEST or box[BOTTOM] > _HANGS or length > 18.0 or width > 3.4 or top < 0.5:
        return NOTHING, 0.0
    if length < 0.8 and (goes_on or top > 2.2):
        return NOTHING, 0.0
    if goes_on and 2.3 < length < 7.0 and width < 2.7 and math.hypot(box[X], box[Y]) < _BESIDE:
        return _VEHICLE, 0.5
    if goes_on or top > 2.3:
        return (_OTHER, 0.4) if length > 1.4 and top < 4.2 else (NOTHING, 0.0)
    deep, wide = _seen_as(box)
    if length < 1.15 and width < 0.95 and top > 1.0:
        if wide < _NARROW or top > _TALL:
            return _OTHER, 0.3
        return _PEDESTRIAN, 0.9 if top > _GROWN else 0.4
    if 1.3 < length < 2.2 and top > 1.3 and width < 0.95:
        return (_CYCLIST, 0.8) if width > 0.35 and top > 1.55 else (_VEHICLE, 0.5)
    if length < 7.0 and width < 2.7 and top > 0.7:
        return _VEHICLE, 0.95 if max(deep, wide) > 1.4 else 0.5
    return _OTHER, 0.2


@njit(cache=True, nogil=True)
def _seen_as(box: NDArray[np.float64]) -> tuple[float, float]:
    """How deep a box is along the ray to it, and how wide across: each of its sides counts for the one that
    it is nearer to."""
    sight = math.atan2(box[Y], box[X])
    if abs(math.cos(box[YAW] - sight)) > math.sqrt(0.5):
        return box[LENGTH], box[WIDTH]
    return box[WIDTH], box[LENGTH]


@njit(cache=True, nogil=True)
def _completed(box: NDArray[np.float64]) -> None:
    """A car goes on away from the eye, behind the sides that are seen. A side across the rays that is no
    longer than a car is wide is its front or rear, and its length goes along them."""
    deep, wide = _seen_as(box)
    if wide < _SIDE and deep < wide:
        box[LENGTH], box[WIDTH] = box[WIDTH], box[LENGTH]
        box[YAW] += math.pi / 2
    _stretched(box, LENGTH, box[YAW], _CAR[0])
    _stretched(box, WIDTH, box[YAW] + math.pi / 2, _CAR[1])


@njit(cache=True, nogil=True)
def _stretched(box: NDArray[np.float64], size: int, direction: float, least: float) -> None:
    missing = least - box[size]
    if missing <= 0.0:
        return
    c, s = math.cos(direction), math.sin(direction)
    away = 1.0 if c * box[X] + s * box[Y] >= 0.0 else -1.0
    box[size] = least
    box[X] += away * c * missing / 2
    box[Y] += away * s * missing / 2
