"""The own way of a synthetic drive: a speed in time, a curve along the way, and what is planted when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.workloads.driving import values
from baygrid.workloads.driving.values import Floats

STEP: Final = 0.01
"""Seconds from one sample of the own motion to the next."""
CRUISE: Final = 10.0
"""Speed (m/s) at which every episode begins and ends."""
EASE: Final = 1.5
"""Seconds of even driving before each."""
SOFTENED: Final = 0.3
"""Seconds over which the acceleration changes."""
CURVE: Final = 0.05
"""Curvature (1/m) of a turn, a right angle with ramps of RAMP metres."""
RAMP: Final = 6.0
TURN_LENGTH: Final = np.pi / 2 / CURVE + RAMP
GRID: Final = 0.25
"""Metres from one sample of the road to the next."""
BEFORE, BEYOND = 100.0, 200.0
"""How far the road goes on behind the first place and beyond the last (m)."""

_SPEEDS: Final = {
    values.HARD_BRAKE: ((0.5, 0.0), (1.4, -5.0), (0.6, 0.0), (3.5, 2.0)),
    values.STOP: ((5.0, -2.0), (3.0, 0.0), (5.0, 2.0)),
    values.TURN: ((2.0, -1.5), (TURN_LENGTH / 7.0, 0.0), (2.0, 1.5)),
    values.CUT_IN: ((8.0, 0.0),),
    values.SHORT_HEADWAY: ((10.0, 0.0),),
    values.VULNERABLE_NEAR: ((2.0, -2.0), (4.0, 0.0), (2.0, 2.0)),
}
"""(seconds, m/s^2) of each episode."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something planted, from `begin` to `end` in seconds; of a turn, `side` is 1 to the left, -1 to the
    right."""

    kind: str
    begin: float
    end: float
    side: int


@dataclass(frozen=True, slots=True)
class Route:
    """The own motion at STEP (n,): time, way along the road, speed, acceleration; and the road at GRID (m,):
    way, place, heading, curvature."""

    t: Floats
    way: Floats
    speed: Floats
    acceleration: Floats
    road_way: Floats
    road_x: Floats
    road_y: Floats
    road_yaw: Floats
    road_curve: Floats
    episodes: tuple[Episode, ...]

    def along(self, t: Floats | float) -> Floats:
        """The own way along the road (m) at a time."""
        return between(t, self.t, self.way)

    def place(self, way: Floats | float, left: Floats | float) -> tuple[Floats, Floats, Floats]:
        """x, y, heading of the road at a way along it, `left` metres to its left."""
        x, y, yaw = (between(way, self.road_way, v) for v in (self.road_x, self.road_y, self.road_yaw))
        return x - left * np.sin(yaw), y + left * np.cos(yaw), yaw

    def curve(self, way: Floats | float) -> Floats:
        """Curvature of the road (1/m, positive to the left)."""
        return between(way, self.road_way, self.road_curve)


def between(at: Floats | float, known: Floats, values: Floats) -> Floats:
    """Values between those known, as an array also of a single one."""
    return np.asarray(np.interp(at, known, values), np.float64)


def route(rng: np.random.Generator, seconds: float) -> Route:
    """Episodes of every kind in an order drawn by chance, again and again as long as they fit into
    `seconds`."""
    episodes = _episodes(rng, seconds)
    n = round(seconds / STEP) + 1
    t = np.arange(n, dtype=np.float64) * STEP
    sharp = np.zeros(n)
    for episode in episodes:
        at = episode.begin
        for lasts, acceleration in _SPEEDS[episode.kind]:
            sharp[round(at / STEP) : round((at + lasts) / STEP)] = acceleration
            at += lasts
    width = round(SOFTENED / STEP)
    soft = np.convolve(sharp, np.ones(width) / width, "same")
    speed = np.maximum(CRUISE + np.concatenate([[0.0], np.cumsum(soft[:-1]) * STEP]), 0.0)
    # What rounding leaves of a stop is no motion.
    speed[speed < 0.02] = 0.0
    way = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2) * STEP])
    road = _road(way, t, [e for e in episodes if e.kind == values.TURN])
    return Route(t, way, speed, np.gradient(speed, STEP), *road, tuple(episodes))


def _episodes(rng: np.random.Generator, seconds: float) -> list[Episode]:
    found: list[Episode] = []
    at, side = 0.0, 1
    while True:
        order = _order(rng)
        for kind in order:
            lasts = sum(seconds for seconds, _ in _SPEEDS[kind])
            if at + EASE + lasts > seconds:
                return found
            found.append(Episode(kind, at + EASE, at + EASE + lasts, side))
            at += EASE + lasts
            if kind == values.TURN:
                side = -side  # left, right, left: the road never comes back to where it was


def _order(rng: np.random.Generator) -> list[str]:
    """A car that has cut in needs room ahead: no standing one may follow at once."""
    kinds = list(_SPEEDS)
    while True:
        order = [kinds[i] for i in rng.permutation(len(kinds))]
        after_cut_in = order[(order.index(values.CUT_IN) + 1) % len(order)]
        if after_cut_in != values.SHORT_HEADWAY and order[-1] != values.CUT_IN:
            return order


def _road(way: Floats, t: Floats, turns: list[Episode]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Way, x, y, heading, curvature."""
    road_way: Floats = np.arange(-BEFORE, way[-1] + BEYOND, GRID)
    curve = np.zeros_like(road_way)
    slowing = _SPEEDS[values.TURN][0][0]
    for turn in turns:
        inside = road_way - np.interp(turn.begin + slowing, t, way)
        rising = np.clip(np.minimum(inside, TURN_LENGTH - inside) / RAMP, 0.0, 1.0)
        curve += turn.side * CURVE * rising
    yaw = np.concatenate([[0.0], np.cumsum((curve[1:] + curve[:-1]) / 2) * GRID])
    middle = (yaw[1:] + yaw[:-1]) / 2
    x = np.concatenate([[0.0], np.cumsum(np.cos(middle)) * GRID])
    y = np.concatenate([[0.0], np.cumsum(np.sin(middle)) * GRID])
    begin = int(np.searchsorted(road_way, 0.0))
    return road_way, x - x[begin], y - y[begin], yaw, curve
