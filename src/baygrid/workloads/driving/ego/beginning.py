"""Where a filter begins: the first place and heading of a run, found by laying the way that gyroscope and
wheels tell over the first fixes."""

from __future__ import annotations

from typing import Final

import numpy as np

from baygrid.workloads.driving.ego import kernel
from baygrid.workloads.driving.ego.readings import RATE, SPEED, TICK
from baygrid.workloads.driving.values import Floats

FAR: Final = 20.0
"""Fixes this far from the first one (m) tell the heading; nearer ones mostly their own error."""
WITHOUT_WHEELS: Final = 5.0
"""Where no wheel tells the speed, it is taken as even over so many seconds before that."""
NEEDED: Final = 3
UNKNOWN: Final = (np.pi, 0.1)
"""Standard deviations of the heading: where nothing tells it, and where the fixes do."""


def state(means: Floats, at: Floats, fixes: Floats) -> tuple[Floats, Floats]:
    """State (11,) and covariance (11, 11) at the first tick of a run.

    means (n, 3): its readings; at (m,): the fixes' times in ticks from the first; fixes (m, 2): east,
    north."""
    speeds = means[:, SPEED]
    told = speeds[np.isfinite(speeds)]
    x = np.zeros(kernel.SIZE)
    x[8] = 1.0
    deviations = np.array([300.0, 300.0, UNKNOWN[0], 15.0, 0.5, 3.0, kernel.GYRO_BIAS, kernel.FORCE_BIAS])
    if len(told):
        x[3], deviations[3] = told[0], 2.0
    if len(fixes):
        x[:2], deviations[:2] = fixes[0], 5.0 + 15.0 * at[0] * TICK
        laid = _laid(means, at, fixes)
        if laid is not None:
            x[:3], deviations[2] = laid, UNKNOWN[1]
            if not len(told):
                x[3], deviations[3] = np.hypot(*(fixes[-1] - fixes[0])) / max(np.ptp(at) * TICK, 1.0), 10.0
    scale = [kernel.SCALE, kernel.FIX_BIAS, kernel.FIX_BIAS]
    return x, np.diag(np.concatenate([deviations, scale]) ** 2)


def _laid(means: Floats, at: Floats, fixes: Floats) -> Floats | None:
    """East, north and heading at the first tick, or None where the vehicle did not go far enough."""
    beyond = np.flatnonzero(np.hypot(*(fixes - fixes[0]).T) > FAR)
    # One fix far off may be a wrong one: enough of them are asked for.
    if len(beyond) < NEEDED:
        return None
    last = int(beyond[NEEDED - 1])
    ticks = np.arange(len(means))
    heading = np.concatenate([[0.0], np.cumsum(np.nan_to_num(means[:-1, RATE])) * TICK])
    speed = means[:, SPEED]
    if np.isfinite(speed).any():
        good = np.isfinite(speed)
        speed, since = np.interp(ticks, ticks[good], speed[good]), 0
    else:
        since = int(np.searchsorted(at, at[last] - WITHOUT_WHEELS / TICK))
        begun = at[since]
        even = np.hypot(*(fixes[last] - fixes[since])) / max((at[last] - begun) * TICK, TICK)
        speed = np.where(ticks >= begun, even, 0.0)
    way = np.concatenate([[0.0], np.cumsum(speed[:-1] * np.exp(1j * heading[:-1])) * TICK])
    shown = np.interp(at[since : last + 1], ticks, way)
    seen = fixes[since : last + 1] @ np.array([1.0, 1.0j])
    turn = np.vdot(shown - shown.mean(), seen - seen.mean())
    if abs(turn) < 1.0:
        return None
    turn /= abs(turn)
    first = seen.mean() - turn * shown.mean()
    return np.array([first.real, first.imag, np.angle(turn)])
