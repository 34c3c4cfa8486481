"""The compiled part of reading: points of a cloud, sorted out and moved in one go."""

from __future__ import annotations

import numpy as np

from baygrid.workloads.driving.compiled import njit
from baygrid.workloads.driving.values import Points


@njit(cache=True)
def filtered(x: Points, y: Points, z: Points, bright: Points, mount: Points, furthest: float) -> Points:
    """Points (n,) each, moved by `mount` (4 x 4), as (m, 4): those that are numbers, not the sensor itself,
    and nearer than `furthest` along each axis. A brightness that is no number is 0."""
    found = np.empty((len(x), 4), np.float32)
    m = 0
    for i in range(len(x)):
        a, b, c = x[i], y[i], z[i]
        # What is not a number is not below anything.
        if abs(a) < furthest and abs(b) < furthest and abs(c) < furthest and (a != 0 or b != 0 or c != 0):
            for k in range(3):
                found[m, k] = mount[k, 0] * a + mount[k, 1] * b + mount[k, 2] * c + mount[k, 3]
            found[m, 3] = bright[i] if np.isfinite(bright[i]) else 0.0
            m += 1
    return found if m == len(x) else found[:m].copy()
