"""The heart of the ego motion: an extended Kalman filter forwards, and the smoother back.

The state (11): 0 east, 1 north, 2 yaw, 3 speed, 4 yaw rate, 5 acceleration; 6 the gyroscope's bias, 7 the
accelerometer's (with the road's slope in it), 8 the wheels' scale; 9, 10 the satellite fixes' own slow error
east and north. Motion: constant turn rate and acceleration (Schubert, Richter, Wanielik, "Comparison and
evaluation of advanced motion models for vehicle tracking", FUSION 2008), driven by white jerk and turning;
biases are first-order Gauss-Markov. Smoother: Rauch, Tung, Striebel (AIAA Journal 3, 1965)."""

from __future__ import annotations

from typing import Final

import numpy as np

from baygrid.workloads.driving.values import Floats, Ints

SIZE: Final = 11

# Spectral densities of what drives the motion, per square root of a second.
JERK: Final = 3.0
TURNING: Final = 0.6
# What the biases do: (standard deviation, seconds that they last).
GYRO_BIAS, GYRO_LASTS = 0.02, 1000.0
FORCE_BIAS, FORCE_LASTS = 0.5, 20.0
SCALE, SCALE_LASTS = 0.02, 3000.0
FIX_BIAS, FIX_LASTS = 1.5, 300.0
# Standard deviations of a tick's mean.
RATE_NOISE: Final = 0.01
FORCE_NOISE: Final = 0.3
WHEEL_NOISE: Final = 0.1
STILL: Final = 0.05
"""Wheels slower than this (m/s) stand, and a car that stands does not turn (STILL_NOISE, rad/s)."""
STILL_NOISE: Final = 0.002
GATE: Final = 18.0
"""A fix whose squared Mahalanobis distance is beyond this (one in 8,000 by chance) is not believed."""
STUBBORN: Final = 5.0
"""After so many seconds of disbelief it is the filter that must be wrong: its place is forgotten."""
SOFT: Final = 9.0
"""Wheels that slip count less the further they are off, beyond this squared distance."""


def predict(x: Floats, p: Floats, dt: float, fix_bias: float) -> tuple[Floats, Floats, Floats]:
    """State and covariance a tick later, and the matrix of the step."""
    f = np.eye(SIZE)
    middle = x[2] + x[4] * dt / 2
    way = x[3] * dt + x[5] * dt * dt / 2
    c, s = np.cos(middle), np.sin(middle)
    y = x.copy()
    y[0] += way * c
    y[1] += way * s
    y[2] += x[4] * dt
    y[3] += x[5] * dt
    f[0, 2], f[1, 2] = -way * s, way * c
    f[0, 3], f[1, 3] = dt * c, dt * s
    f[0, 4], f[1, 4] = -way * s * dt / 2, way * c * dt / 2
    f[0, 5], f[1, 5] = dt * dt / 2 * c, dt * dt / 2 * s
    f[2, 4], f[3, 5] = dt, dt
    q = np.zeros(SIZE)
    q[2], q[4] = TURNING**2 * dt**3 / 3, TURNING**2 * dt
    q[3], q[5] = JERK**2 * dt**3 / 3, JERK**2 * dt
    for i, deviation, lasts in (
        (6, GYRO_BIAS, GYRO_LASTS), (7, FORCE_BIAS, FORCE_LASTS), (8, SCALE, SCALE_LASTS),
        (9, fix_bias, FIX_LASTS), (10, fix_bias, FIX_LASTS),
    ):  # fmt: skip
        stays = np.exp(-dt / lasts)
        rest = 1.0 if i == 8 else 0.0
        y[i] = rest + (x[i] - rest) * stays
        f[i, i] = stays
        q[i] = deviation**2 * (1 - stays**2)
    after = f @ p @ f.T
    for i in range(SIZE):
        after[i, i] += q[i]
    return y, after, f


def correct(x: Floats, p: Floats, h: Floats, off: float, variance: float) -> None:
    """In place: a reading that is `off` from what the state says; `h` (11,) is how it depends on the
    state."""
    ph = p @ h
    gain = ph / (h @ ph + variance)
    x += gain * off
    p -= np.outer(gain, ph)
    p += p.T.copy()
    p *= 0.5


def _sensors(x: Floats, p: Floats, rate: float, force: float, speed: float) -> None:
    if not np.isnan(rate):
        h = np.zeros(SIZE)
        h[4] = h[6] = 1.0
        correct(x, p, h, rate - x[4] - x[6], RATE_NOISE**2)
    if not np.isnan(force):
        h = np.zeros(SIZE)
        h[5] = h[7] = 1.0
        correct(x, p, h, force - x[5] - x[7], FORCE_NOISE**2)
    if not np.isnan(speed):
        h = np.zeros(SIZE)
        h[3], h[8] = x[8], x[3]
        off = speed - x[3] * x[8]
        far = off * off / (h @ p @ h + WHEEL_NOISE**2)
        correct(x, p, h, off, WHEEL_NOISE**2 * max(1.0, far / SOFT))
        if abs(speed) < STILL:
            h = np.zeros(SIZE)
            h[4] = 1.0
            correct(x, p, h, -x[4], STILL_NOISE**2)


def _fix(x: Floats, p: Floats, fix: Floats, doubt: Floats) -> bool:
    """A fix (after: seconds after the tick; east, north, noise). Whether it was believed; `doubt` (1,) is for
    how many seconds fixes have not been, -1 where the last one was."""
    c, s = np.cos(x[2]), np.sin(x[2])
    h = np.zeros((2, SIZE))
    h[0, 0] = h[0, 9] = h[1, 1] = h[1, 10] = 1.0
    h[0, 3], h[1, 3] = c * fix[0], s * fix[0]
    h[0, 2], h[1, 2] = -x[3] * s * fix[0], x[3] * c * fix[0]
    off = np.empty(2)
    off[0] = fix[1] - x[0] - x[9] - x[3] * c * fix[0]
    off[1] = fix[2] - x[1] - x[10] - x[3] * s * fix[0]
    variance = fix[3] ** 2
    spread = h @ p @ h.T + variance * np.eye(2)
    if off @ np.linalg.solve(spread, off) > GATE:
        doubt[0] = max(doubt[0], 0.0)
        if doubt[0] < STUBBORN:
            return False
        x[0] += off[0]
        x[1] += off[1]
        for i in range(2):
            p[i, :] = 0.0
            p[:, i] = 0.0
            p[i, i] = 100.0
        off[:] = 0.0
    correct(x, p, h[0], off[0], variance)
    correct(x, p, h[1], fix[2] - x[1] - x[10] - x[3] * np.sin(x[2]) * fix[0], variance)
    doubt[0] = -1.0
    return True


def forward(
    x: Floats, p: Floats, dt: float, means: Floats, fixes: Floats, first: Ints, fix_bias: float, doubt: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Through n ticks, the first of which is the state's own: `means` (n, 3) and `fixes` (m, 4) as above, of
    which those from first[k] to first[k + 1] belong to tick k. Gives what was known before and after each
    tick's readings (states (n, 11), covariances (n, 11, 11)), the steps (n, 11, 11), which fixes were
    believed."""
    n = len(means)
    before, after, step = np.empty((n, SIZE)), np.empty((n, SIZE)), np.empty((n, SIZE, SIZE))
    p_before, p_after = np.empty((n, SIZE, SIZE)), np.empty((n, SIZE, SIZE))
    believed = np.zeros(len(fixes))
    x, p = x.copy(), p.copy()
    for k in range(n):
        if k > 0:
            x, p, f = predict(x, p, dt, fix_bias)
            step[k] = f
            doubt[0] += dt if doubt[0] >= 0 else 0.0
        before[k], p_before[k] = x, p
        _sensors(x, p, means[k, 0], means[k, 1], means[k, 2])
        for j in range(first[k], first[k + 1]):
            believed[j] = 1.0 if _fix(x, p, fixes[j], doubt) else 0.0
        after[k], p_after[k] = x, p
    return before, p_before, after, p_after, step, believed


def backward(
    before: Floats, p_before: Floats, after: Floats, p_after: Floats, step: Floats
) -> tuple[Floats, Floats]:
    """States (n, 11) and covariances (n, 11, 11) with all that `forward` saw, earlier and later."""
    x, p = after.copy(), p_after.copy()
    for k in range(len(after) - 2, -1, -1):
        gain = np.linalg.solve(p_before[k + 1], step[k + 1] @ p_after[k]).T
        x[k] = after[k] + gain @ (x[k + 1] - before[k + 1])
        p[k] = p_after[k] + gain @ (p[k + 1] - p_before[k + 1]) @ gain.T
    return x, p


def heights(read: Floats, moved: Floats) -> Floats:
    """Smoothed heights (n,) from heights read at some ticks (n,), nan elsewhere; `moved` (n,) is how far the
    vehicle came since the tick before. A random walk of 10 cm a metre, seen through 1 m of noise."""
    n = len(read)
    level, spread, grown = np.empty(n), np.empty(n), np.empty(n)
    x, p = 0.0, 1e6
    for k in range(n):
        p += 0.1**2 * moved[k] + 1e-6
        grown[k] = p
        if not np.isnan(read[k]):
            gain = p / (p + 1.0)
            x += gain * (read[k] - x)
            p *= 1 - gain
        level[k], spread[k] = x, p
    for k in range(n - 2, -1, -1):
        level[k] += spread[k] / grown[k + 1] * (level[k + 1] - level[k])
    return level
