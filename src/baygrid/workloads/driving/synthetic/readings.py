"""What the other sensors of a synthetic drive read: satellites, inertial unit, wheels; each with its
errors."""

from __future__ import annotations

from typing import Final

import numpy as np

from baygrid.workloads.driving.synthetic.drive import PLACE, Drive
from baygrid.workloads.driving.values import Floats

IMU_STEP: Final = 0.01
WHEEL_STEP: Final = 0.02
FIX_STEP: Final = 0.2

FIX_NOISE, FIX_DRIFT, FIX_LASTS = 0.3, 0.6, 120.0
"""Of a fix: what changes from one to the next (m), what stays (m), and for how long (s)."""
FIX_SD: Final = 0.7
"""What the receiver says of it, a horizontal axis (m)."""
RATE_NOISE, RATE_BIAS = 0.004, 0.005
FORCE_NOISE, FORCE_BIAS = 0.15, 0.1
WHEEL_NOISE, WHEEL_SCALE = 0.03, 0.006
GRAVITY: Final = 9.80665


def imu(drive: Drive) -> tuple[Floats, Floats, Floats]:
    """Times (n,), rates (n, 3) and forces (n, 3) in the vehicle frame."""
    rng = np.random.default_rng((drive.seed, 2))
    r = drive.route
    t = np.arange(0.0, drive.seconds, IMU_STEP)
    speed = np.interp(t, r.t, r.speed)
    rate = speed * r.curve(r.along(t))
    noise = rng.normal(0, 1, (len(t), 6))
    bias = rng.normal(0, 1, 6)
    rates = np.column_stack([np.zeros(len(t)), np.zeros(len(t)), rate])
    forces = np.column_stack([np.interp(t, r.t, r.acceleration), speed * rate, np.full(len(t), GRAVITY)])
    return (
        t,
        rates + RATE_NOISE * noise[:, :3] + RATE_BIAS * bias[:3],
        forces + FORCE_NOISE * noise[:, 3:] + FORCE_BIAS * bias[3:],
    )


def wheel(drive: Drive) -> tuple[Floats, Floats]:
    """Times (n,) and speeds (n,)."""
    rng = np.random.default_rng((drive.seed, 3))
    t = np.arange(0.005, drive.seconds, WHEEL_STEP)
    speed = np.interp(t, drive.route.t, drive.route.speed)
    noise = np.where(speed > 0, rng.normal(0, WHEEL_NOISE, len(t)), 0.0)
    return t, speed * (1 + rng.normal(0, WHEEL_SCALE)) + noise


def fixes(drive: Drive) -> tuple[Floats, Floats]:
    """Times (n,) and latitude, longitude, height (n, 3)."""
    rng = np.random.default_rng((drive.seed, 4))
    t = np.arange(0.1, drive.seconds, FIX_STEP)
    x, y, _ = drive.route.place(drive.route.along(t), 0.0)
    stays = np.exp(-FIX_STEP / FIX_LASTS)
    drift = np.empty((len(t), 3))
    drift[0] = rng.normal(0, FIX_DRIFT, 3)
    for k in range(1, len(t)):
        drift[k] = stays * drift[k - 1] + rng.normal(0, FIX_DRIFT * np.sqrt(1 - stays**2), 3)
    east, north, up = (
        np.column_stack([x, y, np.zeros(len(t))]) + drift + rng.normal(0, FIX_NOISE, drift.shape)
    ).T
    latitude, longitude = PLACE.to_geodetic(east, north, up)
    return t, np.column_stack([latitude, longitude, up + PLACE.height])
