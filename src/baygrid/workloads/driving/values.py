"""The values that pass through the driving application, with their frames of coordinates and units.

Time: `t` is seconds (float64) from the first message of the drive. Lengths are metres, angles radians, speeds
metres a second. Two frames, both right-handed (REP 103):

- vehicle: x forward, y left, z up; the origin lies on the road, beneath the point whose way the ego motion is
  (the lidar's, where there is no other word). Yaw 0 looks forward, and grows to the left.
- world: x east, y north, z up, in the plane that touches the earth at the drive's first fix (ENU). Yaw 0
  looks east, and grows to the north."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Points = NDArray[np.float32]

VEHICLE: Final = "vehicle"
PEDESTRIAN: Final = "pedestrian"
CYCLIST: Final = "cyclist"
OTHER: Final = "other"
KINDS: Final = (VEHICLE, PEDESTRIAN, CYCLIST, OTHER)
"""What a box or a track may be. Walls, poles and trees are not boxes; OTHER is a thing of unknown kind."""
VULNERABLE: Final = (PEDESTRIAN, CYCLIST)

CUT_IN: Final = "cut_in"
HARD_BRAKE: Final = "hard_brake"
SHORT_HEADWAY: Final = "short_headway"
VULNERABLE_NEAR: Final = "vulnerable_near"
STOP: Final = "stop"
TURN: Final = "turn"
EVENTS: Final = (CUT_IN, HARD_BRAKE, SHORT_HEADWAY, VULNERABLE_NEAR, STOP, TURN)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One turn of a lidar. `points` is N x 4: x, y, z in the vehicle frame, and intensity; all are finite."""

    t: float
    topic: str
    points: Points


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera without distortion: u = fx * right / ahead + cx, v = fy * down / ahead + cy (pixels).

    `mount` is the 4 x 4 matrix, row by row, from the optical frame (x right, y down, z ahead) to the
    vehicle's."""

    topic: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    mount: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera's frame as it was recorded: a JPEG (or PNG), not yet decoded."""

    t: float
    topic: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Fix:
    """A position by satellite. `geodetic`: a, b, c are latitude and longitude in degrees (WGS 84) and height
    in metres; else east, north, up. `sd` is one standard deviation of a horizontal axis (m), 0 unknown."""

    t: float
    geodetic: bool
    a: float
    b: float
    c: float
    sd: float


@dataclass(frozen=True, slots=True)
class Imu:
    """Turning (x, y, z; rad/s) and specific force (x, y, z; m/s^2; +g upwards at rest) of the vehicle."""

    t: float
    rate: tuple[float, float, float]
    force: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Wheel:
    """The speed that the wheels tell, m/s forward."""

    t: float
    speed: float


@dataclass(frozen=True, slots=True)
class Driver:
    """Who drives: a person (`manual`), or the system."""

    t: float
    manual: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the vehicle truly was, where the recording tells: earth-centred, earth-fixed metres."""

    t: float
    x: float
    y: float
    z: float


@dataclass(frozen=True, slots=True)
class Box3D:
    """Something in the vehicle frame: centre, size, yaw (of the length; yaw and yaw + pi are one where front
    and rear are unknown), the kind, how many points lie in it, and how sure its finder is (0 to 1)."""

    x: float
    y: float
    z: float
    length: float
    width: float
    height: float
    yaw: float
    kind: str
    points: int
    score: float


@dataclass(frozen=True, slots=True)
class Box2D:
    """A thing in a picture of `topic`: pixels from the top left corner, the detector's own name for it."""

    topic: str
    left: float
    top: float
    right: float
    bottom: float
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What was found at one moment: of one sweep (`boxes`; None where it is a picture's) or of one picture
    (`seen`). Frames come to `finish` in the order of their times."""

    t: float
    topic: str
    boxes: tuple[Box3D, ...] | None = None
    seen: tuple[Box2D, ...] | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the vehicle is in the world, and how it moves. `sd` is one standard deviation of the position, of
    one horizontal axis; `acceleration` is along the way (m/s^2)."""

    t: float
    x: float
    y: float
    z: float
    yaw: float
    speed: float
    yaw_rate: float
    acceleration: float
    sd: float


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The poses of a drive, in order of time; each an array of the same length (at 20 Hz as a rule). Yaw is
    unwrapped: it goes on past pi."""

    t: Floats
    x: Floats
    y: Floats
    z: Floats
    yaw: Floats
    speed: Floats
    yaw_rate: Floats
    acceleration: Floats
    sd: Floats

    def at(self, t: float) -> Pose:
        """The pose at a time, between its neighbours; the first or last one's place outside of the drive."""
        return Pose(t, *(float(np.interp(t, self.t, getattr(self, name))) for name in _POSE[1:]))

    def __len__(self) -> int:
        return len(self.t)


_POSE: Final = ("t", "x", "y", "z", "yaw", "speed", "yaw_rate", "acceleration", "sd")


@dataclass(frozen=True, slots=True)
class Tracked:
    """A track at one sweep's time: where it is in the world (yaw: of its motion, where it moves), its size,
    its velocity in the world; `ahead` and `left` are its centre in the vehicle frame. `seen` is how many
    cameras show it now, `score` how sure it is (0 to 1), and `points` how many of the lidar's lie on it (0:
    carried on unseen). `track` numbers begin at 1 in each drive and are never used again."""

    t: float
    track: int
    kind: str
    x: float
    y: float
    z: float
    length: float
    width: float
    height: float
    yaw: float
    vx: float
    vy: float
    ahead: float
    left: float
    points: int
    seen: int
    score: float


@dataclass(frozen=True, slots=True)
class Event:
    """A scenario from `begin` to `end` (seconds). `track` is the other's, or None; `value` is what makes it
    one at its worst: cut_in s of time gap, hard_brake m/s^2, short_headway s, vulnerable_near m, stop s of
    standing, turn rad (left is positive). x, y: the own place in the world when it is at its worst."""

    kind: str
    begin: float
    end: float
    track: int | None
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class TruthBox:
    """A thing of the synthetic drive as it is at a sweep's time, in the vehicle frame. `thing` is its number
    all through the drive; vx, vy is its velocity in the world; `points` is how many returns lie on it."""

    t: float
    thing: int
    kind: str
    x: float
    y: float
    z: float
    length: float
    width: float
    height: float
    yaw: float
    vx: float
    vy: float
    points: int


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known of a synthetic drive: the true way, the things at each sweep, what was planted."""

    trajectory: Trajectory
    boxes: Sequence[TruthBox]
    events: Sequence[Event]


def columns(rows: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Values of the same class as columns: {name: [row.name, ...]}."""
    return {name: list(map(attrgetter(name), rows)) for name in names}
