"""What stands and moves in the street: boxes, each with a size and a way of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.workloads.driving.synthetic.route import Route
from baygrid.workloads.driving.values import CYCLIST, OTHER, PEDESTRIAN, VEHICLE, Floats

SWEEP: Final = 0.1
"""Seconds from sweep to sweep; things are where they are said to be at each."""

CAR: Final = (4.4, 1.8, 1.5)
VAN: Final = (5.2, 2.0, 2.1)
PERSON: Final = (0.6, 0.6, 1.75)
BICYCLE: Final = (1.8, 0.6, 1.75)
POLE: Final = (0.25, 0.25, 5.0)

# Metres to the left of the own lane's middle.
LEFT_LANE: Final = 3.5
ONCOMING: Final = 7.2
PARKED: Final = -3.7
CYCLE_PATH: Final = -5.6
PAVEMENTS: Final = (-6.9, 11.0)
POLES: Final = (-6.1, 9.9)
HOUSES: Final = (-11.5, 15.5)
SEEN_FROM: Final = 90.0
"""What is further than this along the road from the vehicle need not be (m)."""


@dataclass(frozen=True, slots=True)
class Thing:
    """From sweep number `first` on, one place for each sweep (n,): x, y, heading, velocity; or one for ever.
    `kind` is as in values.KINDS; OTHER is no box that perception should find."""

    kind: str
    size: tuple[float, float, float]
    first: int
    x: Floats
    y: Floats
    yaw: Floats
    vx: Floats
    vy: Floats

    @property
    def still(self) -> bool:
        return self.first < 0


def standing(kind: str, size: tuple[float, float, float], x: float, y: float, yaw: float) -> Thing:
    """A thing that is always there."""
    one = (np.array([value]) for value in (x, y, yaw, 0.0, 0.0))
    return Thing(kind, size, -1, *one)


def moving(
    route: Route,
    kind: str,
    size: tuple[float, float, float],
    t: Floats,
    way: Floats,
    left: Floats,
    back: bool = False,
) -> Thing:
    """A thing that goes along the road: `way` and `left` (n,) at the times `t` of sweeps, `back` against
    us."""
    x, y, yaw = route.place(way, left)
    vx, vy = np.gradient(x, SWEEP), np.gradient(y, SWEEP)
    slip = np.arctan2(np.gradient(left, SWEEP), np.maximum(np.abs(np.gradient(way, SWEEP)), 0.5))
    heading = yaw + (np.pi - slip if back else slip)
    return Thing(kind, size, round(t[0] / SWEEP), x, y, heading, vx, vy)


def street(route: Route, rng: np.random.Generator) -> list[Thing]:
    """Houses, poles, parked cars and walls, beside the road all along it."""
    found: list[Thing] = []
    clear = _kept_clear(route)
    for side in (0, 1):
        way = float(route.road_way[0])
        while way < route.road_way[-1]:
            length = rng.uniform(8, 16)
            found += _beside(route, OTHER, (length, 4.0, rng.uniform(4, 9)), way + length / 2, HOUSES[side])
            if rng.random() < 0.7:
                found += _beside(route, OTHER, POLE, way, POLES[side])
            way += length + rng.uniform(1, 6)
    way = float(route.road_way[0])
    while way < route.road_way[-1]:
        way += rng.uniform(6, 20)
        if not any(begin < way < end for begin, end in clear):
            size = CAR if rng.random() < 0.75 else VAN
            found += _beside(route, VEHICLE, size, way, PARKED + rng.normal(0, 0.1), rng.normal(0, 0.03))
    return found


def _kept_clear(route: Route) -> list[tuple[float, float]]:
    """Ways along the road where nobody may park: where somebody walks or rides at its edge."""
    near = [e for e in route.episodes if e.kind == "vulnerable_near"]
    return [(float(route.along(e.begin)) - 40, float(route.along(e.end)) + 60) for e in near]


def _beside(
    route: Route, kind: str, size: tuple[float, float, float], way: float, left: float, turned: float = 0.0
) -> list[Thing]:
    """The thing, unless the road's bend leaves no room for it there."""
    x, y, yaw = (float(value) for value in route.place(way, left))
    nearest = np.hypot(route.road_x - x, route.road_y - y).min()
    room = nearest > abs(left) - 0.3 and abs(float(route.curve(way))) * size[0] < 0.3
    return [standing(kind, size, x, y, yaw + turned)] if room else []


def passers(route: Route, rng: np.random.Generator, seconds: float) -> list[Thing]:
    """People on the pavements, riders on the cycle path, cars that come towards us, and some that
    overtake."""
    found: list[Thing] = []
    way = 0.0
    while way < route.way[-1] + SEEN_FROM:
        way += rng.uniform(12, 40)
        side = PAVEMENTS[int(rng.random() < 0.4)]
        pace = rng.choice([-1.0, 1.0]) * rng.uniform(0.8, 1.5)
        found += _meeting(route, PEDESTRIAN, PERSON, way, pace, side + rng.normal(0, 0.1), seconds)
        if rng.random() < 0.3:
            found += _meeting(route, CYCLIST, BICYCLE, way + 7, rng.uniform(3, 5), CYCLE_PATH, seconds)
    at = 0.0
    while at < seconds:
        at += rng.uniform(4, 8)
        way, pace = float(route.along(at)) + rng.uniform(0, 10), -rng.uniform(8, 13)
        found += _meeting(
            route, VEHICLE, CAR if rng.random() < 0.8 else VAN, way, pace, ONCOMING, seconds, at
        )
    return found


def _meeting(
    route: Route,
    kind: str,
    size: tuple[float, float, float],
    way: float,
    pace: float,
    left: float,
    seconds: float,
    at: float | None = None,
) -> list[Thing]:
    """A thing of an even pace that is at `way` when the vehicle is there, or at the time `at`."""
    when = float(np.interp(way, route.way, route.t)) if at is None else at
    t = np.arange(round(seconds / SWEEP) + 1, dtype=np.float64) * SWEEP
    ways = way + pace * (t - when)
    near = np.abs(ways - route.along(t)) < SEEN_FROM
    begin, end = int(near.argmax()), len(near) - int(near[::-1].argmax())
    if end - begin < 3 or not near.any():
        return []
    here = slice(begin, end)
    return [moving(route, kind, size, t[here], ways[here], np.full(end - begin, left), pace < 0)]
