"""The own way of a drive from its readings, smoothed: what came later tells of earlier moments too.

Filter and smoother go over five minutes at a time, with a minute of what follows, so that memory does not
grow with the drive; what is beyond that minute changes nothing that could be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.workloads.driving.ego import beginning, kernel
from baygrid.workloads.driving.ego.readings import TICK, Readings
from baygrid.workloads.driving.geometry.geodesy import Plane
from baygrid.workloads.driving.values import Floats, Ints, Trajectory

BLOCK: Final = round(300 / TICK)
AHEAD: Final = round(60 / TICK)
PAUSE: Final = 30.0
"""Seconds without any reading after which the way begins anew."""
NOISE: Final = 0.5
"""Of a fix that does not tell how good it is: what changes from one to the next (m). What stays, see
kernel."""
LEAST_NOISE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Motion:
    """The own way, the plane that it is in (None where no fix was geodetic), its length in metres along the
    way, and how it came to be: fixes believed and not, the longest time without one in seconds."""

    trajectory: Trajectory
    plane: Plane | None
    length: float
    fixes: int
    refused: int
    longest_gap: float


def motion(readings: Readings) -> Motion | None:
    """None where neither a fix nor a wheel tells how the vehicle moved."""
    if not len(readings.fixes) and not np.isfinite(readings.means[:, 2]).any():
        return None
    plane, places = _places(readings)
    states, believed = [], []
    for run in _runs(readings.ticks):
        mine = np.isin(np.floor(readings.fixes[:, 0] / TICK).astype(np.int64), run)
        part, trusted = _run(readings, run, readings.fixes[mine], places[mine])
        states.append(part)
        believed.append(trusted)
    whole = np.concatenate(states)
    trusted = np.concatenate(believed)
    times = readings.fixes[:, 0][trusted]
    edges = np.concatenate([[whole[0, 0]], times, [whole[-1, 0]]])
    return Motion(
        Trajectory(*whole.T.copy()),
        plane,
        _length(whole[:, 0], whole[:, 5]),
        int(trusted.sum()),
        int((~trusted).sum()),
        float(np.diff(edges).max()),
    )


def _length(t: Floats, speed: Floats) -> float:
    """Metres along the way; over a pause nothing is counted."""
    step = np.diff(t)
    return float(np.sum(np.where(step < 2 * TICK, step, 0.0) * (np.abs(speed[1:]) + np.abs(speed[:-1])) / 2))


def _places(readings: Readings) -> tuple[Plane | None, Floats]:
    """The fixes in metres (m, 3), and the plane in which they are."""
    fixes = readings.fixes
    if not readings.geodetic or not len(fixes):
        return None, fixes[:, 1:4]
    plane = Plane(*(float(value) for value in fixes[0, 1:4]))
    return plane, plane.of_geodetic(fixes[:, 1], fixes[:, 2], fixes[:, 3])


def _runs(ticks: Ints) -> Iterator[Ints]:
    """The ticks, parted where the drive paused."""
    yield from np.split(ticks, np.flatnonzero(np.diff(ticks) > PAUSE / TICK) + 1)


def _run(readings: Readings, run: Ints, fixes: Floats, places: Floats) -> tuple[Floats, np.ndarray]:
    """The poses of one run (n, 9) in the order of Trajectory's fields, and which fixes were believed."""
    begin = int(run[0])
    n = int(run[-1]) - begin + 1
    means = np.full((n, 3), np.nan)
    means[run - begin] = readings.means[np.searchsorted(readings.ticks, run)]
    at = fixes[:, 0] / TICK - 0.5 - begin  # in ticks from the first
    of = np.clip(np.floor(at + 0.5).astype(np.int64), 0, n - 1)
    told = fixes[:, 4]
    noise = np.where(told > 0, np.maximum(told * 0.5, LEAST_NOISE), NOISE)
    lasting = float(np.median(told[told > 0])) * 0.87 if (told > 0).any() else kernel.FIX_BIAS
    given = np.column_stack([(at - of) * TICK, places[:, :2], noise])
    first = np.searchsorted(of, np.arange(n + 1))

    x, p = beginning.state(means, at, places[:, :2])
    p[9, 9] = p[10, 10] = lasting**2
    doubt = np.array([-1.0])
    out, sd = np.empty((n, kernel.SIZE)), np.empty(n)
    believed = np.zeros(len(fixes), bool)
    for start in range(0, n, BLOCK):
        stop, seen = min(start + BLOCK, n), min(start + BLOCK + AHEAD, n)
        mine = slice(first[start], first[seen])
        b, pb, a, pa, step, trusted = kernel.forward(
            x,
            p,
            TICK,
            means[start:seen],
            given[mine],
            first[start : seen + 1] - first[start],
            lasting,
            doubt.copy(),
        )
        smooth, spread = kernel.backward(b, pb, a, pa, step)
        size = stop - start
        out[start:stop] = smooth[:size]
        sd[start:stop] = np.sqrt(np.maximum((spread[:size, 0, 0] + spread[:size, 1, 1]) / 2, 0.0))
        believed[first[start] : first[stop]] = trusted[: first[stop] - first[start]] > 0
        if stop < n:
            x, p, _ = kernel.predict(a[size - 1], pa[size - 1], TICK, lasting)
    t = (begin + np.arange(n) + 0.5) * TICK
    moved = np.concatenate([[0.0], np.abs(out[1:, 3]) * TICK])
    up = kernel.heights(_at_ticks(of, places[:, 2], n), moved)
    order = (t, out[:, 0], out[:, 1], up, out[:, 2], out[:, 3], out[:, 4], out[:, 5], sd)
    return np.column_stack(order), believed


def _at_ticks(of: Ints, values: Floats, n: int) -> Floats:
    """The mean of the values of each tick (n,), nan where there is none."""
    counts = np.bincount(of, minlength=n)
    sums = np.bincount(of, weights=values, minlength=n)
    means: Floats = np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)
    return means
