"""What a fitted box is, by its size and shape, and the whole of a car of which one side is seen."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit
from baygrid.workloads.driving.lidar.fitting import BOTTOM, COUNT, LENGTH, RISE, TOP, WIDTH, YAW, X, Y
from baygrid.workloads.driving.values import CYCLIST, KINDS, OTHER, PEDESTRIAN, VEHICLE

Boxes = NDArray[np.float64]

NOTHING: Final = -1
"""No thing of the traffic: a wall, a pole, a tree, a kerb. Else an index into values.KINDS."""
_VEHICLE: Final = KINDS.index(VEHICLE)
_PEDESTRIAN: Final = KINDS.index(PEDESTRIAN)
_CYCLIST: Final = KINDS.index(CYCLIST)
_OTHER: Final = KINDS.index(OTHER)

_FEWEST: Final = 4
"""Points below which a cluster is noise."""
_CUT: Final = 0.03
"""Slope from the sweep's steepest ray: what reaches within it may go on higher than is seen."""
_SHADOW: Final = 0.5
"""How sure an object still is for each end that lies in another's shadow."""

# All lengths below are metres, all heights over the road.
_HANGS: Final = 1.2
"""What begins higher is a sign or a branch."""
_KERB: Final = 0.5
"""What is no higher is a kerb."""
_WALL: Final = (18.0, 3.4)
"""What is longer or wider is a wall."""
_POLE: Final = (0.8, 2.2)
"""What is no longer, and higher, is a pole or a trunk."""
_TALL: Final = 1.95
"""No person or rider, and no car, is cut off by the highest ray at more than this."""
_HIGHEST_CAR: Final = 2.3
_HIGHEST_LORRY: Final = 4.2
_BESIDE: Final = 6.0
"""Nearer than this a thing as long as a van that is cut off is one, not a wall."""

_LONGEST_PERSON: Final = 1.15
_WIDEST_PERSON: Final = 0.95
"""Of a rider too."""
_COLUMN: Final = 0.2
"""What is no wider is one ray's column of a side that the others miss, not a person."""
_LOWEST_PERSON: Final = 1.0
_GROWN: Final = 1.45
"""Lower ones may well be pieces of a car."""
_LONG_RIDER: Final = (1.3, 2.2)
_WIDE_RIDER: Final = 0.35
_LOW_RIDER: Final = 1.3
_HIGH_RIDER: Final = 1.55
"""Between these lengths, at least as wide and higher; what is flatter or lower may be the rear of a car."""
_IN_A_ROW: Final = 4.6
"""Up to here along the ray something narrow that nothing hides is riders, not the side of a car."""

_LARGEST_CAR: Final = (7.0, 2.7)
_LOWEST_CAR: Final = 0.7
_WIDE_CAR: Final = 1.4
"""What shows no side as long is a car less surely."""
_SIDE: Final = 2.4
"""No car is this wide, so a side this long is the car's length."""
_USUAL_CAR: Final = (4.4, 1.8)
_USUAL_PERSON: Final = (0.5, 0.5)
_USUAL_RIDER: Final = (1.7, 0.6)
"""Length and width of one of which less is seen."""


@njit(cache=True, nogil=True)
def judged(boxes: Boxes, shadows: NDArray[np.int32], steepest: float) -> tuple[NDArray[np.int32], Boxes]:
    """The kind of each of `boxes` (k, 10; see `fitting`) and how sure it is (0 to 1), (k,) each. `shadows`
    (k,): how many of its ends are hidden; `steepest`: the greatest slope up of the sweep's points. What is
    hidden of the boxes is added in place."""
    kinds = np.empty(boxes.shape[0], np.int32)
    scores = np.empty(boxes.shape[0])
    for j in range(boxes.shape[0]):
        kinds[j], likely = _kind(boxes[j], shadows[j] == 0, steepest)
        scores[j] = likely * _SHADOW ** shadows[j] * (1.0 - math.exp(-boxes[j, COUNT] / 5.0))
        if kinds[j] == _VEHICLE:
            _turned(boxes[j])
            _completed(boxes[j], _USUAL_CAR)
        elif kinds[j] == _PEDESTRIAN:
            _completed(boxes[j], _USUAL_PERSON)
        elif kinds[j] == _CYCLIST:
            _completed(boxes[j], _USUAL_RIDER)
    return kinds, scores


@njit(cache=True, nogil=True)
def _kind(box: NDArray[np.float64], free: bool, steepest: float) -> tuple[int, float]:
    """`free`: neither of its ends is hidden."""
    length, width, top = box[LENGTH], box[WIDTH], box[TOP]
    cut_off = box[RISE] > steepest - _CUT and top > _TALL
    if box[COUNT] < _FEWEST or box[BOTTOM] > _HANGS or top < _KERB or length > _WALL[0] or width > _WALL[1]:
        return NOTHING, 0.0
    if length < _POLE[0] and (cut_off or top > _POLE[1]):
        return NOTHING, 0.0
    car = length < _LARGEST_CAR[0] and width < _LARGEST_CAR[1] and top > _LOWEST_CAR
    if cut_off and car and length > _SIDE and math.hypot(box[X], box[Y]) < _BESIDE:
        return _VEHICLE, 0.5
    if cut_off or top > _HIGHEST_CAR:
        return (_OTHER, 0.4) if length > _WIDE_CAR and top < _HIGHEST_LORRY else (NOTHING, 0.0)
    deep, wide = _seen_as(box)
    if length < _LONGEST_PERSON and width < _WIDEST_PERSON and top > _LOWEST_PERSON:
        if wide < _COLUMN or top > _TALL:
            return _OTHER, 0.3
        return _PEDESTRIAN, 0.9 if top > _GROWN else 0.4
    rider = width > _WIDE_RIDER and top > _HIGH_RIDER
    if _LONG_RIDER[0] < length < _LONG_RIDER[1] and width < _WIDEST_PERSON and top > _LOW_RIDER:
        return (_CYCLIST, 0.8) if rider else (_VEHICLE, 0.5)
    if rider and free and wide < _WIDEST_PERSON and deep < _IN_A_ROW:
        return _CYCLIST, 0.6
    if car:
        return _VEHICLE, 0.95 if max(deep, wide) > _WIDE_CAR else 0.5
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
def _turned(box: NDArray[np.float64]) -> None:
    """A side across the rays that is no longer than a car is wide is its front or rear: its length goes along
    them."""
    deep, wide = _seen_as(box)
    if wide < _SIDE and deep < wide:
        box[LENGTH], box[WIDTH] = box[WIDTH], box[LENGTH]
        box[YAW] += math.pi / 2


@njit(cache=True, nogil=True)
def _completed(box: NDArray[np.float64], usual: tuple[float, float]) -> None:
    """A thing goes on away from the eye, behind the sides that are seen."""
    _stretched(box, LENGTH, box[YAW], usual[0])
    _stretched(box, WIDTH, box[YAW] + math.pi / 2, usual[1])


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
