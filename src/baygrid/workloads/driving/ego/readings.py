"""The readings of a drive on a grid of time, as the filter takes them: 20 ticks a second, whatever the rate.

A tick holds the means of what fell into its twentieth of a second, so that a drive's readings take 4 MB an
hour. Ticks exist only where there are readings: a clock that leaps costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.values import Floats

TICK: Final = 0.05
"""Seconds from tick to tick."""

RATE, FORCE, SPEED = range(3)


@dataclass(frozen=True, slots=True)
class Readings:
    """`ticks` (n,) are the grid's numbers, each once, rising; tick k is at (k + 0.5) TICK seconds. `means`
    (n, 3) are rate of turn about the upward axis, force forward, speed of the wheels; nan where none was
    read. `fixes` (m, 5): t, a, b, c, sd, in order of time, as in values.Fix, all geodetic or all not."""

    ticks: NDArray[np.int64]
    means: Floats
    fixes: Floats
    geodetic: bool


@dataclass
class Gathering:
    """Takes readings in any order and portions; `readings()` tells what came so far.

    Where a drive has both geodetic fixes and others, only the geodetic are used."""

    _ticks: list[NDArray[np.int64]] = field(default_factory=list)
    _sums: list[Floats] = field(default_factory=list)
    _fixes: dict[bool, list[Floats]] = field(default_factory=lambda: {True: [], False: []})

    def imu(self, t: Floats, rate: Floats, force: Floats) -> None:
        """Each of shape (n,): the rate about the upward axis, and the force forward."""
        self._add(t, {RATE: rate, FORCE: force})

    def wheel(self, t: Floats, speed: Floats) -> None:
        """Each of shape (n,)."""
        self._add(t, {SPEED: speed})

    def fixes(self, geodetic: bool, rows: Floats) -> None:
        """Rows (n, 5): t, a, b, c, sd."""
        whole = rows[np.isfinite(rows).all(axis=1)]
        if len(whole):
            self._fixes[geodetic].append(whole)

    def readings(self) -> Readings:
        """The grid. Empty where nothing was read."""
        geodetic = bool(self._fixes[True])
        fixes = np.concatenate([np.empty((0, 5)), *self._fixes[geodetic]])
        fixes = fixes[np.argsort(fixes[:, 0], kind="stable")]
        ticks, sums = _merged(
            np.concatenate([np.empty(0, np.int64), *self._ticks, _tick(fixes[:, 0])]),
            np.concatenate([np.empty((0, 6)), *self._sums, np.zeros((len(fixes), 6))]),
        )
        counts = sums[:, 3:]
        means = np.divide(sums[:, :3], counts, out=np.full((len(ticks), 3), np.nan), where=counts > 0)
        return Readings(ticks, means, fixes, geodetic)

    def _add(self, t: Floats, values: dict[int, Floats]) -> None:
        sums = np.zeros((len(t), 6))
        for column, value in values.items():
            good = np.isfinite(value) & (np.abs(value) < _ABSURD[column])
            sums[good, column] = value[good]
            sums[good, 3 + column] = 1
        usable = np.isfinite(t) & (sums[:, 3:].sum(axis=1) > 0)
        ticks, sums = _merged(_tick(t[usable]), sums[usable])
        self._ticks.append(ticks)
        self._sums.append(sums)


_ABSURD: Final = (50.0, 500.0, 200.0)
"""A rate (rad/s), force (m/s^2) or speed (m/s) from here on is a broken reading, not a motion."""


def _tick(t: Floats) -> NDArray[np.int64]:
    return np.floor(t / TICK).astype(np.int64)


def _merged(ticks: NDArray[np.int64], sums: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Each tick once, in order, with the sum (n, 6) of all that is in it."""
    if not len(ticks):
        return ticks, sums
    once, where = np.unique(ticks, return_inverse=True)
    total = np.zeros((len(once), sums.shape[1]))
    np.add.at(total, where, sums)
    return once, total
