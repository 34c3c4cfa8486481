"""What the cameras see of the tracks: late fusion, by the picture's boxes and the tracks' outlines in it.

A camera tells kinds apart better than the outline of a few points does: what it is sure of counts for a
track's kind. What only a camera sees has no place in the world and begins no track; how often that was is
counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.tracking.assignment import assigned
from baygrid.workloads.driving.tracking.track import Motion
from baygrid.workloads.driving.values import CYCLIST, PEDESTRIAN, VEHICLE, Box2D, Camera, Frame, Pose

Floats = NDArray[np.float64]

LABELS: Final = {
    "person": PEDESTRIAN, "bicycle": CYCLIST, "motorcycle": CYCLIST, "car": VEHICLE, "bus": VEHICLE,
    "truck": VEHICLE, "train": VEHICLE,
}  # fmt: skip
"""COCO's names of what is on roads (T.-Y. Lin et al., "Microsoft COCO", ECCV 2014), and their kinds here."""

_OVERLAP: Final = 0.3
"""Intersection over union in the picture from which on a box is a track's."""
_CERTAIN: Final = 0.5
"""Score from which on a camera's word counts for the kind, _WEIGHT times."""
_WEIGHT: Final = 3.0
_RECENT: Final = 0.2
"""Seconds for which a camera that saw a track still sees it."""
_NEAREST: Final = 0.5
"""Metres in front of the lens below which nothing is projected."""


class Views:
    """Which camera saw which track, and when. `alone` counts by kind what a picture showed where the lidar
    has no track."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._cameras = {camera.topic: camera for camera in cameras}
        self._seen: dict[int, dict[str, float]] = {}
        self.alone: Counter[str] = Counter()

    def look(self, frame: Frame, pose: Pose, motions: Sequence[Motion]) -> None:
        """A picture's boxes against the tracks as they are at its time."""
        camera = self._cameras.get(frame.topic)
        things = [(box, LABELS[box.label]) for box in frame.seen or () if box.label in LABELS]
        if camera is None or not things:
            return
        outlines = [
            (each, outline) for each in motions if (outline := projected(each, frame.t, pose, camera))
        ]
        matched = _matched([box for box, _ in things], [outline for _, outline in outlines])
        known = {i for i, _ in matched}
        self.alone.update(kind for i, (_, kind) in enumerate(things) if i not in known)
        for i, j in matched:
            (box, kind), motion = things[i], outlines[j][0]
            self._seen.setdefault(motion.track, {})[frame.topic] = frame.t
            if box.score >= _CERTAIN and not (kind == PEDESTRIAN and motion.kind == CYCLIST):
                motion.vote(kind, _WEIGHT * box.score)

    def count(self, track: int, t: float) -> int:
        """How many cameras see a track."""
        return sum(t - seen < _RECENT for seen in self._seen.get(track, {}).values())

    def forget(self, t: float) -> None:
        """Tracks that no camera sees any more are not remembered."""
        self._seen = {k: v for k, v in self._seen.items() if any(t - seen < _RECENT for seen in v.values())}


def projected(
    motion: Motion, t: float, pose: Pose, camera: Camera
) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of a track in a picture taken at time t from `pose`; None where it is not in
    it."""
    ahead = t - motion.t
    dx, dy = motion.x + motion.vx * ahead - pose.x, motion.y + motion.vy * ahead - pose.y
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    x, y, yaw = c * dx + s * dy, c * dy - s * dx, motion.yaw - pose.yaw
    u, v = math.cos(yaw), math.sin(yaw)
    a, b = motion.length / 2, motion.width / 2
    low, high = motion.z - pose.z - motion.height / 2, motion.z - pose.z + motion.height / 2
    corners = np.array(
        [
            (x + i * a * u - j * b * v, y + i * a * v + j * b * u, z)
            for i in (-1, 1)
            for j in (-1, 1)
            for z in (low, high)
        ]
    )
    mount = np.array(camera.mount).reshape(4, 4)
    seen = (corners - mount[:3, 3]) @ mount[:3, :3]
    if seen[:, 2].min() < _NEAREST:
        return None
    across = camera.fx * seen[:, 0] / seen[:, 2] + camera.cx
    down = camera.fy * seen[:, 1] / seen[:, 2] + camera.cy
    left, right = max(float(across.min()), 0.0), min(float(across.max()), float(camera.width))
    top, bottom = max(float(down.min()), 0.0), min(float(down.max()), float(camera.height))
    return (left, top, right, bottom) if right - left > 1.0 and bottom - top > 1.0 else None


def _matched(
    boxes: Sequence[Box2D], outlines: Sequence[tuple[float, float, float, float]]
) -> list[tuple[int, int]]:
    """Pairs of a picture's boxes and outlines that lie most on each other."""
    if not boxes or not outlines:
        return []
    one = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes])[:, None]
    two = np.array(outlines)[None]
    shared = np.clip(np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2]), 0, None)
    inner = shared.prod(axis=2)
    areas = [(each[..., 2:] - each[..., :2]).prod(axis=2) for each in (one, two)]
    overlap = inner / np.maximum(areas[0] + areas[1] - inner, 1e-9)
    chosen = enumerate(assigned(-overlap).tolist())
    return [(i, j) for i, j in chosen if j >= 0 and overlap[i, j] >= _OVERLAP]
