"""The compiled part of the synthetic lidar: rays against upright boxes and a flat road."""

from __future__ import annotations

from typing import Final

import numpy as np

from baygrid.workloads.driving.compiled import njit
from baygrid.workloads.driving.values import Floats, Ints

BEAMS: Final = np.radians(np.linspace(-24.0, 4.0, 32))
"""Elevations of the beams."""
COLUMNS: Final = 1024
"""Rays in a turn of each beam."""
REACH: Final = 70.0
"""Metres."""
ROAD: Final = -1


@njit(cache=True)
def cast(beams: Floats, columns: int, height: float, boxes: Floats) -> tuple[Floats, Ints]:
    """Where each ray ends: its length (beams, columns), 0 where nowhere within REACH, and on which box, or
    ROAD.

    boxes (n, 6): x, y of the middle as seen from the lidar, heading, length, width, height above the road.
    The lidar is `height` above the road; column j looks in direction 2 pi j / columns - pi."""
    reach = np.zeros((len(beams), columns))
    hit = np.full((len(beams), columns), -2, np.int64)
    tangent = np.tan(beams)
    # Lengths here are along the road; at the end they become those of the rays.
    for i in range(len(beams)):
        if tangent[i] < 0 and -height / tangent[i] < REACH:
            reach[i, :] = -height / tangent[i]
            hit[i, :] = ROAD
        else:
            reach[i, :] = REACH
    for b in range(len(boxes)):
        x, y, yaw, length, width, tall = boxes[b]
        away, radius = np.hypot(x, y), np.hypot(length, width) / 2
        if away - radius > REACH or away < radius:
            continue
        c, s = np.cos(yaw), np.sin(yaw)
        ox, oy = -c * x - s * y, s * x - c * y
        middle, half = np.arctan2(y, x), np.arcsin(min(1.0, radius / away))
        first = int(np.floor((middle - half + np.pi) / (2 * np.pi) * columns))
        last = int(np.ceil((middle + half + np.pi) / (2 * np.pi) * columns))
        for column in range(first, last + 1):
            j = column % columns
            look = 2 * np.pi * j / columns - np.pi - yaw
            ux, uy = np.cos(look), np.sin(look)
            ux = ux if abs(ux) > 1e-9 else 1e-9
            uy = uy if abs(uy) > 1e-9 else 1e-9
            near = max(
                min((-length / 2 - ox) / ux, (length / 2 - ox) / ux),
                min((-width / 2 - oy) / uy, (width / 2 - oy) / uy),
            )
            far = min(
                max((-length / 2 - ox) / ux, (length / 2 - ox) / ux),
                max((-width / 2 - oy) / uy, (width / 2 - oy) / uy),
            )
            if near > far or near < 0.3:
                continue
            for i in range(len(beams)):
                if near < reach[i, j]:
                    z = height + near * tangent[i]
                    if 0 < z < tall:
                        reach[i, j] = near
                        hit[i, j] = b
                    elif z >= tall:
                        # Over the front edge, and down on the roof.
                        roof = (tall - height) / tangent[i] if tangent[i] < 0 else REACH
                        if near < roof < far and roof < reach[i, j]:
                            reach[i, j] = roof
                            hit[i, j] = b
    for i in range(len(beams)):
        for j in range(columns):
            reach[i, j] = 0.0 if hit[i, j] == -2 else reach[i, j] / np.cos(beams[i])
    return reach, hit
