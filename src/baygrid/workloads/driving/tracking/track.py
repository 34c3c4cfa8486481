"""One track: where a thing is in the world, how it moves, how large it is and of what kind.

Position and velocity: a Kalman filter of constant velocity with acceleration as white noise. Both axes have
the same noises, hence one 2 x 2 covariance. What does not leave its place is at rest: parked cars have no
speed."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from baygrid.workloads.driving.values import CYCLIST, KINDS, OTHER, PEDESTRIAN, VEHICLE, VULNERABLE, Box3D

_SURE: Final = 4
"""Sweeps in which a thing was seen, from which on its track is sure."""
_ACCELERATION: Final = {VEHICLE: 3.0, CYCLIST: 1.5, PEDESTRIAN: 1.0, OTHER: 2.0}
"""Standard deviation (m/s^2) of how a thing of a kind changes its speed."""
_FASTEST: Final = {VEHICLE: 10.0, CYCLIST: 4.0, PEDESTRIAN: 1.5, OTHER: 6.0}
"""Standard deviation (m/s) of the velocity of what was just found."""
_STAYED: Final = {VEHICLE: 0.5, CYCLIST: 0.35, PEDESTRIAN: 0.3, OTHER: 0.8}
"""Metres that a thing at rest may seem to move in _REST_SECONDS, at no more than _REST_SPEED (m/s)."""
_REST_SECONDS: Final = 1.0
_REST_SPEED: Final = 1.2
_WANDERS: Final = 0.005
"""Variance (m^2) per second by which a centre wanders as other sides of a thing are seen."""
_HEADING_SPEED: Final = 2.0
"""m/s from which on a vehicle looks where it goes, within _SLIP radians; from _WALKING_SPEED on a person
does."""
_WALKING_SPEED: Final = 0.5
_SLIP: Final = 0.3
_RUNNING_SPEED: Final = 2.4
"""m/s: who goes faster on two legs' width, for _RAN metres at least, rides."""
_RAN: Final = 4.0
_BICYCLE: Final = 1.7
"""Metres: its length where only the width of a rider was seen."""
_LONGEST: Final = {VEHICLE: 20.0, CYCLIST: 2.3, PEDESTRIAN: 1.2, OTHER: 20.0}
"""Metres: what is longer is several."""
_STANDING: Final = 0.3
"""How much a rider at rest counts: it may well be the corner of a car."""
_ENOUGH: Final = 150
"""Points above which more say no more about the kind."""
_TELLS: Final = 0.25
"""Share of the votes for unknown above which a kind is believed: a thing half hidden is of unknown kind."""


@dataclass(slots=True)
class Motion:
    """`variance`: of the position, with the velocity, of the velocity (one axis). `hits`: sweeps in which
    it was seen; `missed`: those in a row in which it was not; `seen`: when it was last; `moved`: metres
    that it was away from where it began; `facing`: sum of its yaws, doubled, as vectors; `places`: where it
    was of late."""

    track: int
    t: float
    x: float
    y: float
    z: float
    yaw: float
    length: float
    width: float
    height: float
    kind: str
    vx: float = 0.0
    vy: float = 0.0
    variance: tuple[float, float, float] = (0.1, 0.0, 100.0)
    hits: int = 0
    missed: int = 0
    seen: float = 0.0
    score: float = 0.0
    resting: bool = False
    born: tuple[float, float] = (0.0, 0.0)
    moved: float = 0.0
    votes: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    facing: tuple[float, float] = (0.0, 0.0)
    places: deque[tuple[float, float, float]] = field(default_factory=deque)

    @property
    def sure(self) -> bool:
        """Whether it was seen often enough to be a thing."""
        return self.hits >= _SURE

    @property
    def evidence(self) -> float:
        """All that speaks for it."""
        return sum(self.votes.values())

    @property
    def speed(self) -> float:
        return math.hypot(self.vx, self.vy)

    def predict(self, t: float) -> None:
        """Carried on to the time t."""
        dt = t - self.t
        if dt <= 0.0:
            return
        noise = (0.3 if self.resting else _ACCELERATION[self.kind]) ** 2
        a, b, c = self.variance
        self.variance = (
            a + 2 * dt * b + dt * dt * c + noise * dt**4 / 4 + _WANDERS * dt,
            b + dt * c + noise * dt**3 / 2,
            c + noise * dt * dt,
        )
        self.x += self.vx * dt
        self.y += self.vy * dt
        self.t = t

    def correct(self, x: float, y: float, variance: float) -> None:
        """The centre was measured, with this variance on each axis."""
        a, b, c = self.variance
        gain, follow = a / (a + variance), b / (a + variance)
        dx, dy = x - self.x, y - self.y
        self.x += gain * dx
        self.y += gain * dy
        self.vx += follow * dx
        self.vy += follow * dy
        self.variance = ((1 - gain) * a, (1 - gain) * b, c - follow * b)
        self._rest()

    def _rest(self) -> None:
        """Whether it stayed in its place of late; then its velocity is measured to be none."""
        self.places.append((self.t, self.x, self.y))
        while self.t - self.places[0][0] > _REST_SECONDS:
            self.places.popleft()
        began, x, y = self.places[0]
        stayed = math.hypot(self.x - x, self.y - y) < _STAYED[self.kind]
        self.resting = stayed and self.speed < _REST_SPEED and self.t - began > _REST_SECONDS / 3
        if self.resting:
            a, b, c = self.variance
            still, moved = c / (c + 0.04), b / (c + 0.04)
            self.x -= moved * self.vx
            self.y -= moved * self.vy
            self.vx *= 1 - still
            self.vy *= 1 - still
            self.variance = (a - moved * b, b - still * b, (1 - still) * c)

    def shown(self, box: Box3D, z: float, yaw: float) -> None:
        """A box was this track's: what it says of its kind, size and height, and of its yaw in the world."""
        self.hits += 1
        self.seen = self.t
        self.score += (box.score - self.score) / min(self.hits, 10)
        self.moved = max(self.moved, math.hypot(self.x - self.born[0], self.y - self.born[1]))
        before = self.kind
        rides = box.kind == PEDESTRIAN and self.speed > _RUNNING_SPEED and self.moved > _RAN
        doubtful = box.kind == CYCLIST and self.resting
        weight = box.score * min(box.points, _ENOUGH) / 10
        self.vote(CYCLIST if rides else box.kind, weight * (_STANDING if doubtful else 1.0))
        if box.kind == self.kind:
            self._grow(box)
            self.z += 0.3 * (z - self.z)
            self._turn(yaw, box.score)
        elif self.kind != before and self.kind == CYCLIST:
            self.length, self.width = max(self.length, _BICYCLE), min(self.width, 0.8)

    def put(self, box: Box3D, x: float, y: float, yaw: float) -> None:
        """It is where a box is in the world, and as large: what was taken for it was a piece of it."""
        self.x, self.y, self.yaw = x, y, yaw
        self.length, self.width, self.height = box.length, box.width, box.height
        self.facing = (0.0, 0.0)
        self.born, self.moved = (x, y), 0.0
        self.places.clear()

    def _turn(self, yaw: float, weight: float) -> None:
        """A yaw was measured that may as well be its opposite; `weight` by how sure it is."""
        fade = 1.0 if self.resting else 0.85
        c, s = self.facing
        self.facing = (fade * c + weight * math.cos(2 * yaw), fade * s + weight * math.sin(2 * yaw))
        self.yaw = math.atan2(self.facing[1], self.facing[0]) / 2
        heading = math.atan2(self.vy, self.vx)
        if self.kind in VULNERABLE and self.speed > _WALKING_SPEED:
            self.yaw = heading
        elif self.speed > _HEADING_SPEED:
            off = math.remainder(self.yaw - heading, math.pi)
            self.yaw = heading + (off if abs(off) < _SLIP else 0.0)

    def _grow(self, box: Box3D) -> None:
        """Its sides were measured: what was hidden once is remembered, what was noise is forgotten slowly."""
        length, width = min(box.length, _LONGEST[self.kind]), box.width
        self.length += (length - self.length) * (0.4 if length > self.length else 0.05)
        self.width += (width - self.width) * (0.4 if width > self.width else 0.05)
        self.height += (box.height - self.height) * (0.5 if box.height > self.height else 0.02)

    def vote(self, kind: str, weight: float) -> None:
        """A finder says what kind it is; `weight` by how sure it is."""
        self.votes[kind] += weight
        told = max((VEHICLE, PEDESTRIAN, CYCLIST), key=lambda each: self.votes[each])
        self.kind = told if self.votes[told] > _TELLS * self.votes[OTHER] else OTHER


def begun(number: int, t: float, at: tuple[float, float, float], yaw: float, box: Box3D) -> Motion:
    """A track of what was found for the first time at a place and yaw in the world, at rest as far as is
    known."""
    motion = Motion(number, t, *at, yaw, box.length, box.width, box.height, box.kind, born=at[:2])
    motion.variance = (0.1, 0.0, _FASTEST[box.kind] ** 2)
    motion.shown(box, at[2], yaw)
    return motion
