"""The own lane: a strip along the way that the vehicle went, or is going to go.

What is beside or ahead is told by where it lies along that way, so that a bend, or a turn into another
street, needs no map. A drive's last place goes on straight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.workloads.driving.values import Floats, Tracked, Trajectory

_STEP: Final = 1.0
"""Metres between the points of the way."""
_BEHIND: Final = 20.0
_AHEAD: Final = 90.0
"""Metres of the way that are looked at."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Where a thing lies along the own way: metres ahead of the own origin along it, and to its left; how
    fast it goes along it; and where on the way (m from its begin)."""

    ahead: float
    left: float
    pace: float
    way: float


class Way:
    """The places of a drive by the metres that it went."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._t = trajectory.t
        gone = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(trajectory.x), np.diff(trajectory.y)))])
        self._gone = gone
        moved = np.concatenate([[True], np.diff(gone) > 1e-3])
        known = gone[moved]
        at: Floats = np.arange(0.0, known[-1] + _STEP, _STEP)
        inside = np.minimum(at, known[-1])
        yaw = np.interp(inside, known, trajectory.yaw[moved])
        self._x, self._y = (np.interp(inside, known, v[moved]) for v in (trajectory.x, trajectory.y))
        beyond = np.arange(1, int(_AHEAD / _STEP) + 2) * _STEP
        self._x = np.concatenate([self._x, self._x[-1] + beyond * np.cos(yaw[-1])])
        self._y = np.concatenate([self._y, self._y[-1] + beyond * np.sin(yaw[-1])])
        self._yaw = np.concatenate([yaw, np.full(len(beyond), yaw[-1])])

    def beside(self, t: float, rows: Sequence[Tracked]) -> list[Beside]:
        """Where things lie at a time."""
        if not rows:
            return []
        own = float(np.interp(t, self._t, self._gone))
        first = max(int((own - _BEHIND) / _STEP), 0)
        last = min(int((own + _AHEAD) / _STEP) + 2, len(self._x))
        there = np.array([(row.x, row.y, row.vx, row.vy) for row in rows])
        dx, dy = there[:, :1] - self._x[first:last], there[:, 1:2] - self._y[first:last]
        nearest = (dx * dx + dy * dy).argmin(axis=1)
        at = np.arange(len(rows))
        yaw = self._yaw[first:last][nearest]
        c, s = np.cos(yaw), np.sin(yaw)
        way = (first + nearest) * _STEP + c * dx[at, nearest] + s * dy[at, nearest]
        left = c * dy[at, nearest] - s * dx[at, nearest]
        pace = c * there[:, 2] + s * there[:, 3]
        return [
            Beside(*each)
            for each in zip((way - own).tolist(), left.tolist(), pace.tolist(), way.tolist(), strict=True)
        ]

    def shift(self, begin: float, end: float) -> float:
        """How far to the left the way goes over between two places on it, beside its own bending: 0 on a
        straight and on any arc, a lane's width where the vehicle changed lanes."""
        one, two = (min(max(int(at / _STEP), 0), len(self._x) - 1) for at in (begin, end))
        yaw = (self._yaw[one] + self._yaw[two]) / 2
        dx, dy = self._x[two] - self._x[one], self._y[two] - self._y[one]
        return float(np.cos(yaw) * dy - np.sin(yaw) * dx)
