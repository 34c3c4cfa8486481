"""Distance and bearing of a sweep's points, once for all that asks for them.

The arctangent is the rational approximation of the Cephes library (S. L. Moshier, "Methods and programs for
mathematical functions", 1989), good to the last bit of a double: written out without branches it is compiled
for several points at a time, as a call of the C library's is not."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.compiled import njit

Floats = NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "nnan", "ninf"})
def polar(points: Floats) -> tuple[Floats, Floats]:
    """Of `points` (n, 2 or more: x, y; all finite): how far each is from the vehicle in metres, and where, in
    radians from -pi to pi, 0 ahead and growing to the left; (n,) each."""
    away = np.empty(points.shape[0], np.float32)
    bearing = np.empty(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        away[i] = math.sqrt(x * x + y * y)
        a, b = abs(np.float64(x)), abs(np.float64(y))
        low, high = min(a, b), max(a, b, 1e-300)
        steep = low > 0.66 * high
        t = (low - high if steep else low) / (low + high if steep else high)
        z = t * t
        p = -8.750608600031904122785e-1 * z - 1.615753718733365076637e1
        p = (p * z - 7.500855792314704667340e1) * z - 1.228866684490136173410e2
        p = p * z - 6.485021904942025371773e1
        q = (z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2
        q = (q * z + 4.328810604912902668951e2) * z + 4.853903996359136964868e2
        q = q * z + 1.945506571482613964425e2
        angle = t + t * z * p / q + (math.pi / 4 if steep else 0.0)
        angle = math.pi / 2 - angle if b > a else angle
        angle = math.pi - angle if x < 0 else angle
        bearing[i] = -angle if y < 0 else angle
    return away, bearing
