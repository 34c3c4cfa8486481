"""A synthetic drive: sweeps with what is in them, pictures, readings of the other sensors, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from baygrid.workloads.driving import values
from baygrid.workloads.driving.ego.readings import TICK
from baygrid.workloads.driving.geometry.geodesy import Plane
from baygrid.workloads.driving.synthetic import planted
from baygrid.workloads.driving.synthetic.cast import BEAMS, COLUMNS, REACH, cast
from baygrid.workloads.driving.synthetic.route import CRUISE, Route, route
from baygrid.workloads.driving.synthetic.things import SWEEP, Thing, passers, street
from baygrid.workloads.driving.values import OTHER, Event, Floats, Points, Sweep, Trajectory, TruthBox

LIDAR: Final = (1.0, 0.0, 1.8)
"""Where the lidar sits in the vehicle frame; it looks straight ahead."""
LIDAR_TOPIC: Final = "/lidar_top/points"
PLACE: Final = Plane(22.15, 113.95, 5.0)
"""Where the world's origin is said to be: in the sea off the Pearl River's mouth, where no road is."""
RANGE_NOISE: Final = 0.02
LOST: Final = 0.02
"""Share of the returns that never come."""
BRIGHT: Final = {values.VEHICLE: 0.7, values.PEDESTRIAN: 0.4, values.CYCLIST: 0.5, OTHER: 0.3}
ROAD_BRIGHT: Final = 0.15


@dataclass(frozen=True)
class Drive:
    """Made by `drive`. Everything is drawn from the seed alone, each sweep by itself."""

    seed: int
    seconds: float
    route: Route
    things: tuple[Thing, ...]
    events: tuple[Event, ...]

    @property
    def sweep_times(self) -> Floats:
        """The times of the sweeps (and pictures), to the nanosecond as a recorder would tell them."""
        return np.round(np.arange(round(self.seconds / SWEEP), dtype=np.float64) * SWEEP, 9)

    @cached_property
    def trajectory(self) -> Trajectory:
        """The true way, at the ticks of the ego motion."""
        r = self.route
        t = np.arange(0.0, self.seconds, TICK)
        way, speed = r.along(t), np.interp(t, r.t, r.speed)
        x, y, yaw = r.place(way, 0.0)
        zero = np.zeros(len(t))
        return Trajectory(
            t, x, y, zero, yaw, speed, speed * r.curve(way), np.interp(t, r.t, r.acceleration), zero
        )

    def sweeps(self) -> Iterator[tuple[Sweep, tuple[TruthBox, ...]]]:
        """Each sweep in the vehicle frame, with the true boxes within reach."""
        return (self.sweep(number) for number in range(len(self.sweep_times)))

    def sweep(self, number: int) -> tuple[Sweep, tuple[TruthBox, ...]]:
        t = float(self.sweep_times[number])
        near, boxes = self.around(number)
        points, on = self._points(number, boxes)
        counts = np.bincount(on[on >= 0], minlength=len(near))
        truth = [
            self._truth(t, thing, number, box, int(n))
            for thing, box, n in zip(near, boxes, counts, strict=True)
        ]
        return Sweep(t, LIDAR_TOPIC, points), tuple(box for box in truth if box.kind != OTHER)

    def around(self, number: int) -> tuple[list[int], Floats]:
        """The things near the vehicle at a sweep: their numbers, and (n, 6): x, y, yaw in the vehicle frame,
        and length, width, height."""
        x, y, yaw = (float(v) for v in self.route.place(self.route.along(number * SWEEP), 0.0))
        at, there = self._places(number)
        dx, dy = there[:, 0] - x, there[:, 1] - y
        near = np.flatnonzero(np.hypot(dx, dy) < REACH + 12)
        c, s = np.cos(yaw), np.sin(yaw)
        dx, dy = dx[near], dy[near]
        place = np.column_stack([c * dx + s * dy, c * dy - s * dx, there[near, 2] - yaw])
        sizes = np.array([self.things[at[i]].size for i in near]).reshape(-1, 3)
        return [int(at[i]) for i in near], np.hstack([place, sizes])

    def _places(self, number: int) -> tuple[values.Ints, Floats]:
        """The numbers of all things there are at a sweep, and where: x, y, yaw in the world."""
        still_at, still = self._still
        moving = [
            (i, thing.x[number - thing.first], thing.y[number - thing.first], thing.yaw[number - thing.first])
            for i, thing in self._moving
            if 0 <= number - thing.first < len(thing.x)
        ]
        there = np.array([row[1:] for row in moving]).reshape(-1, 3)
        return np.concatenate([still_at, np.array([row[0] for row in moving], np.int64)]), np.vstack(
            [still, there]
        )

    @cached_property
    def _still(self) -> tuple[values.Ints, Floats]:
        found = [(i, t) for i, t in enumerate(self.things) if t.still]
        places = np.array([[t.x[0], t.y[0], t.yaw[0]] for _, t in found]).reshape(-1, 3)
        return np.array([i for i, _ in found], np.int64), places

    @cached_property
    def _moving(self) -> list[tuple[int, Thing]]:
        return [(i, t) for i, t in enumerate(self.things) if not t.still]

    def _points(self, number: int, boxes: Floats) -> tuple[Points, values.Ints]:
        """N x 4 points in the vehicle frame, and which of the boxes each is on (-1: the road)."""
        rng = np.random.default_rng((self.seed, 1, number))
        seen = boxes.copy()
        seen[:, 0] -= LIDAR[0]
        seen[:, 1] -= LIDAR[1]
        reach, hit = cast(BEAMS, COLUMNS, LIDAR[2], seen)
        kept = (reach > 0) & (reach < REACH) & (rng.random(reach.shape) > LOST)
        beam, column = np.nonzero(kept)
        on = hit[beam, column]
        ranges = reach[beam, column] + rng.normal(0, RANGE_NOISE, len(on))
        look = 2 * np.pi * column / COLUMNS - np.pi
        flat = ranges * np.cos(BEAMS[beam])
        bright = np.array([*(BRIGHT[self.things[i].kind] for i in self.around(number)[0]), ROAD_BRIGHT])
        points = np.column_stack(
            [
                flat * np.cos(look) + LIDAR[0],
                flat * np.sin(look) + LIDAR[1],
                ranges * np.sin(BEAMS[beam]) + LIDAR[2],
                bright[on] * rng.uniform(0.8, 1.0, len(on)),
            ]
        )
        return points.astype(np.float32), on

    def _truth(self, t: float, thing: int, number: int, box: Floats, points: int) -> TruthBox:
        its = self.things[thing]
        k = 0 if its.still else number - its.first
        x, y, yaw, length, width, height = (float(v) for v in box)
        vx, vy = float(its.vx[k]), float(its.vy[k])
        return TruthBox(t, thing, its.kind, x, y, height / 2, length, width, height, yaw, vx, vy, points)


def drive(seed: int, seconds: float = 65.0) -> Drive:
    """A drive of so many seconds; one of 65 has each kind of scenario once."""
    rng = np.random.default_rng((seed, 0))
    way = route(rng, seconds)
    things = [*street(way, rng), *passers(way, rng, seconds)]
    pairs = planted.others(way, seconds, len(things))
    events = sorted([*planted.own(way), *(event for _, event in pairs)], key=lambda event: event.begin)
    return Drive(seed, seconds, way, (*things, *(thing for thing, _ in pairs)), tuple(events))


def seconds_for(km: float) -> float:
    """About how long a drive must be to be so long (it goes slower than it cruises where something is
    planted)."""
    return km * 1000 / (CRUISE * 0.8)
