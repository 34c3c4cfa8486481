"""Boxes of a lidar's sweep: ground away, clusters, fitted boxes, kinds. No memory from sweep to sweep."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.lidar.classification import NOTHING, judged
from baygrid.workloads.driving.lidar.clusters import clusters
from baygrid.workloads.driving.lidar.fitting import (
    COUNT,
    GROUND,
    LENGTH,
    TOP,
    WIDTH,
    YAW,
    X,
    Y,
    fitted,
    steepest,
)
from baygrid.workloads.driving.lidar.ground import heights
from baygrid.workloads.driving.lidar.occlusion import shadowed
from baygrid.workloads.driving.lidar.polar import polar
from baygrid.workloads.driving.values import KINDS, Box3D, Sweep

MOST: Final = 300
"""Boxes of one sweep, the surest: no street holds more, noise does."""


def boxes(sweep: Sweep) -> tuple[Box3D, ...]:
    """What stands or moves on the road, in the vehicle frame. A box reaches from the ground to the highest
    point seen of it; of a car that shows one side the rest is taken to be a usual car's. Same points, same
    boxes."""
    points = np.ascontiguousarray(sweep.points, dtype=np.float32)
    away, bearing = polar(points)
    above = heights(points, away, bearing)
    order, starts = clusters(points, above)
    found = fitted(points, away, above, order, starts)
    kinds, scores = judged(found, shadowed(away, bearing, order, starts), steepest(points, away))
    things = np.flatnonzero(kinds != NOTHING)
    if len(things) > MOST:
        surest = things[np.argsort(-scores[things], kind="stable")[:MOST]]
        things = np.sort(surest)
    return tuple(_box(found[j], KINDS[kinds[j]], float(scores[j])) for j in things)


def compile_all() -> None:
    """On a machine's first use numba compiles for seconds, which no drive is to be charged with."""
    across, up = np.meshgrid(np.linspace(4.0, 8.0, 40), np.linspace(-1.7, 0.0, 10))
    side = np.stack([across.ravel(), np.full(400, 3.0), up.ravel(), np.zeros(400)], axis=1)
    boxes(Sweep(0.0, "", side.astype(np.float32)))


def _box(box: NDArray[np.float64], kind: str, score: float) -> Box3D:
    return Box3D(
        x=float(box[X]),
        y=float(box[Y]),
        z=float(box[GROUND] + box[TOP] / 2),
        length=float(box[LENGTH]),
        width=float(box[WIDTH]),
        height=float(box[TOP]),
        yaw=math.remainder(float(box[YAW]), math.tau),
        kind=kind,
        points=int(box[COUNT]),
        score=score,
    )
