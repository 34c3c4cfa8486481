"""How high each point of a sweep lies above the road.

The sweep is cut into sectors of one degree and rings of half a metre. From the vehicle outwards, each cell's
lowest point is taken for ground if the slope from the last ground can be that of a road; else the ground goes
on as it was. After M. Himmelsbach, F. v. Hundelshausen, H.-J. Wuensche, "Fast segmentation of 3D point clouds
for ground vehicles", IEEE Intelligent Vehicles Symposium 2010, with cells in place of lines.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float32]

REACH: Final = 80.0
"""Metres around the vehicle that are looked at."""

_SECTORS: Final = 360
_RING: Final = 0.5
_RINGS: Final = int(REACH / _RING)

_NEAR: Final = 15.0
"""Metres within which most sectors see the road: the median of their lowest points starts the walk."""
_STEEPER: Final = 0.10
"""Rise per metre by which a road may leave the slope that it had."""
_STEEPEST: Final = 0.25
_BUMP: Final = 0.12
"""Metres by which a cell's lowest point may differ at no distance at all: noise, kerbs."""
_LEAP: Final = 0.45
"""Metres that the ground may leave its slope by from one ground cell to the next, however far that is: a car
far away begins this high above the road where no beam meets the road before it."""
_UPRIGHT: Final = 0.35
"""Metres of height in one cell above which it holds an object, if it does not begin on the ground."""
_EMPTY: Final = 1e9


@njit(cache=True, nogil=True)
def heights(points: Floats, away: Floats, bearing: Floats) -> Floats:
    """Metres above the ground of each of `points` (n, 3 or more: x, y, z in the vehicle frame): (n,). NaN for
    what is beyond REACH or is no number. `away` and `bearing` are those of `polar`."""
    count = points.shape[0]
    cell = np.full(count, -1, np.int32)
    lowest = np.full((_SECTORS, _RINGS), _EMPTY, np.float32)
    highest = np.full((_SECTORS, _RINGS), -_EMPTY, np.float32)
    for i in range(count):
        z = points[i, 2]
        if not away[i] < REACH or not abs(z) < _EMPTY:
            continue
        sector = int((bearing[i] + math.pi) * (_SECTORS / (2.0 * math.pi))) % _SECTORS
        ring = int(away[i] / _RING)
        cell[i] = sector * _RINGS + ring
        lowest[sector, ring] = min(lowest[sector, ring], z)
        highest[sector, ring] = max(highest[sector, ring], z)
    ground = _walk(lowest, highest, _start(lowest)).ravel()
    out = np.full(count, np.nan, np.float32)
    for i in range(count):
        if cell[i] >= 0:
            out[i] = points[i, 2] - ground[cell[i]]
    return out


@njit(cache=True, nogil=True)
def _start(lowest: Floats) -> float:
    """The road's height at the vehicle: the median over the sectors of what is lowest near it; where
    nothing is, that of the frame's origin."""
    found = np.empty(_SECTORS, np.float32)
    count = 0
    for sector in range(_SECTORS):
        low = lowest[sector, : int(_NEAR / _RING)].min()
        if low < _EMPTY:
            found[count] = low
            count += 1
    return float(np.median(found[:count])) if count else 0.0


@njit(cache=True, nogil=True)
def _walk(lowest: Floats, highest: Floats, start: float) -> Floats:
    """The ground's height in each cell. Cells between two of ground lie on the line between them."""
    ground = np.empty((_SECTORS, _RINGS), np.float32)
    for sector in range(_SECTORS):
        last, height, slope = 0, start, 0.0
        ground[sector, 0] = start
        for ring in range(1, _RINGS):
            low = lowest[sector, ring]
            if low == _EMPTY:
                continue  # and whatever its ground is, nobody asks
            apart = (ring - last) * _RING
            ground[sector, ring] = height + slope * apart
            off = low - ground[sector, ring]
            allowed = min(_BUMP + _STEEPER * apart, _LEAP)
            upright = highest[sector, ring] - low > _UPRIGHT and off > _BUMP
            if abs(off) > allowed or upright:
                continue
            step = (low - height) / apart
            slope = min(max(0.7 * slope + 0.3 * step, -_STEEPEST), _STEEPEST)
            for between in range(last + 1, ring + 1):
                ground[sector, between] = height + step * (between - last) * _RING
            last, height = ring, low
        for ring in range(last + 1, _RINGS):
            ground[sector, ring] = height
    return ground
