"""Tracks begun, carried on and ended, sweep by sweep.

Boxes go first to the tracks that are sure of themselves, then to young ones, as in Y. Zhang et al.,
"ByteTrack: Multi-object tracking by associating every detection box", ECCV 2022. Pieces of a thing that has
its track begin none, and of two tracks in one place the older stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving.geometry.overlap import overlaps
from baygrid.workloads.driving.tracking.association import GATE, centres, hidden, pairs, within
from baygrid.workloads.driving.tracking.track import Motion, begun
from baygrid.workloads.driving.values import CYCLIST, KINDS, OTHER, PEDESTRIAN, VEHICLE, Box3D, Pose

Floats = NDArray[np.float64]

_LEAST_SCORE: Final = 0.1
"""Boxes below it begin no track, but may go on one."""
_LARGE: Final = 4.0
"""Metres of length from which on something of unknown kind begins a track: it may be a lorry."""
_UNSEEN: Final = 1.2
"""Seconds after which a sure track that is not seen ends; one at rest, or behind another, after
_UNSEEN_HIDDEN."""
_UNSEEN_HIDDEN: Final = 4.0
_MISSES: Final = 2
"""Sweeps in a row after which a young track that is not seen ends."""
_LOST: Final = 78.0
"""Metres from the vehicle beyond which tracks end."""
_MARGIN: Final = 0.3
"""Metres by which the centre of a piece of a thing may lie outside of it."""
_WHOLE: Final = 0.5
"""Score above which a vehicle's box is no piece of one."""
_HIDDEN: Final = 0.09
"""Variance (m^2) by which a thing may be longer than is remembered, to both ends."""
_PIECE: Final = 9.0
"""How many times less a box of another kind says about the place."""
_OVERLAP: Final = 0.2
"""Intersection over union above which two tracks are one thing."""
_APART: Final = 4.0
"""Metres beyond which nothing is paired, however unsure a track is."""
_HOP: Final = {VEHICLE: 4.0, CYCLIST: 1.4, PEDESTRIAN: 0.7, OTHER: 2.0}
"""Metres that a young track may be from where it was expected."""
_UNLIKE: Final = np.zeros((len(KINDS), len(KINDS)))
for _one, _two, _cost in (
    (VEHICLE, PEDESTRIAN, 6.0), (VEHICLE, CYCLIST, 2.0), (PEDESTRIAN, CYCLIST, 2.0),
    (VEHICLE, OTHER, 2.0), (PEDESTRIAN, OTHER, 4.0), (CYCLIST, OTHER, 4.0),
):  # fmt: skip
    _UNLIKE[KINDS.index(_one), KINDS.index(_two)] = _UNLIKE[KINDS.index(_two), KINDS.index(_one)] = _cost


class Tracker:
    """`motions` are the tracks that live; numbers are given from 1 on and never again."""

    def __init__(self) -> None:
        self.motions: list[Motion] = []
        self._next = 1

    def sure(self) -> list[Motion]:
        return [motion for motion in self.motions if motion.sure]

    def step(self, t: float, boxes: Sequence[Box3D], pose: Pose) -> dict[int, int]:
        """One more sweep: how many points lie on each track that was seen in it."""
        for motion in self.motions:
            motion.predict(t)
        found = np.array([(b.x, b.y, b.yaw, b.length, b.width) for b in boxes]).reshape(-1, 5)
        noises = [_noise(box) for box in boxes]
        free = set(range(len(boxes)))
        points: dict[int, int] = {}
        for motions in (self.sure(), [each for each in self.motions if not each.sure]):
            for motion, j, x, y in _matched(motions, boxes, found, noises, sorted(free), pose):
                _measured(motion, boxes[j], noises[j], x, y, pose)
                points[motion.track] = boxes[j].points
                free.discard(j)
        self._pieces(boxes, found, free, pose, points)
        self._begin(t, [boxes[j] for j in sorted(free)], pose, points)
        self._end(t, pose, points)
        return points

    def _pieces(
        self, boxes: Sequence[Box3D], found: Floats, free: set[int], pose: Pose, points: dict[int, int]
    ) -> None:
        """Takes away boxes that lie in a sure track. They, or a larger box around it, show that it is
        there; a vehicle's box shows where."""
        sure = self.sure()
        relative = seen_from(pose, sure)
        inside, around = within(relative, found, _MARGIN), within(found, relative, -_MARGIN)
        pieces: dict[int, list[int]] = {
            i: [] for i in np.flatnonzero(inside.any(axis=1) | around.any(axis=0)).tolist()
        }
        for i, j in np.argwhere(inside).tolist():
            pieces[i].append(j)
        for i, lying in pieces.items():
            motion = sure[i]
            motion.seen = motion.t
            mine = [j for j in lying if j in free]
            whole = [j for j in mine if boxes[j].kind == motion.kind == VEHICLE and boxes[j].score > _WHOLE]
            if whole and motion.track not in points:
                best = max(whole, key=lambda j: (boxes[j].points, j))
                _found_at(motion, boxes[best], pose)
                points[motion.track] = boxes[best].points
            free.difference_update(mine)

    def _begin(self, t: float, boxes: Sequence[Box3D], pose: Pose, points: dict[int, int]) -> None:
        for box in boxes:
            if box.score < _LEAST_SCORE and not (box.kind == OTHER and box.length > _LARGE):
                continue
            at = (*_in_world(pose, box.x, box.y), pose.z + box.z)
            self.motions.append(begun(self._next, t, at, pose.yaw + box.yaw, box))
            points[self._next] = box.points
            self._next += 1

    def _end(self, t: float, pose: Pose, points: dict[int, int]) -> None:
        living = []
        behind = hidden(seen_from(pose, self.motions))
        for motion, out_of_sight in zip(self.motions, behind, strict=True):
            motion.missed = 0 if motion.track in points else motion.missed + 1
            patience = _UNSEEN_HIDDEN if motion.resting or out_of_sight else _UNSEEN
            late = t - motion.seen > patience if motion.sure else motion.missed >= _MISSES
            if not late and math.hypot(motion.x - pose.x, motion.y - pose.y) < _LOST:
                living.append(motion)
        relative = seen_from(pose, living)
        over = within(relative, relative, -0.1) | (overlaps(relative, relative) > _OVERLAP)
        gone = set()
        for i, j in np.argwhere(over & ~np.eye(len(living), dtype=bool)).tolist():
            gone.add(min((i, j), key=lambda k: (living[k].evidence, -living[k].track)))
        self.motions = [motion for k, motion in enumerate(living) if k not in gone]


def seen_from(pose: Pose, motions: Sequence[Motion]) -> Floats:
    """x, y, yaw, length, width of tracks in the vehicle frame (n, 5)."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    rows = []
    for motion in motions:
        dx, dy = motion.x - pose.x, motion.y - pose.y
        rows.append((c * dx + s * dy, c * dy - s * dx, motion.yaw - pose.yaw, motion.length, motion.width))
    return np.array(rows).reshape(-1, 5)


def _matched(
    motions: Sequence[Motion],
    boxes: Sequence[Box3D],
    found: Floats,
    noises: Sequence[float],
    free: list[int],
    pose: Pose,
) -> list[tuple[Motion, int, float, float]]:
    """Pairs of tracks and boxes with the track's centre as measured, in the vehicle frame."""
    if not motions or not free:
        return []
    relative = seen_from(pose, motions)
    measured = centres(relative, found[free])
    square = ((measured - relative[:, None, :2]) ** 2).sum(axis=2)
    spread = np.array([motion.variance[0] for motion in motions])[:, None]
    noise = np.array([noises[j] for j in free]) + _HIDDEN
    kinds = np.array([KINDS.index(boxes[j].kind) for j in free])
    mine = np.array([KINDS.index(motion.kind) for motion in motions])
    cost = square / (spread + noise) + _UNLIKE[mine[:, None], kinds]
    near = [_APART if motion.sure else _HOP[motion.kind] for motion in motions]
    cost[square > np.array(near)[:, None] ** 2] = 2 * GATE
    return [(motions[i], free[j], *measured[i, j].tolist()) for i, j in pairs(cost)]


def _noise(box: Box3D) -> float:
    """Variance (m^2) of a centre measured by a box, on each axis."""
    deviation = 0.12 + 0.5 / math.sqrt(box.points) + 0.003 * math.hypot(box.x, box.y)
    return (deviation / (max(box.score, _LEAST_SCORE) if box.kind == VEHICLE else 1.0)) ** 2


def _in_world(pose: Pose, x: float, y: float) -> tuple[float, float]:
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    return pose.x + c * x - s * y, pose.y + s * x + c * y


def _measured(motion: Motion, box: Box3D, noise: float, x: float, y: float, pose: Pose) -> None:
    """A track after it was seen, its centre at x, y in the vehicle frame, with that `noise`. A piece of a
    thing says little of where it is, and a thing of which only pieces were seen is where its whole box is."""
    piece = box.kind != motion.kind
    before = motion.kind
    motion.correct(*_in_world(pose, x, y), noise * (_PIECE if piece else 1.0))
    motion.shown(box, pose.z + box.z, pose.yaw + box.yaw)
    if motion.kind != before and motion.kind == box.kind:
        motion.put(box, *_in_world(pose, box.x, box.y), pose.yaw + box.yaw)


def _found_at(motion: Motion, box: Box3D, pose: Pose) -> None:
    """A track was seen in its place, but not as it was remembered."""
    motion.put(box, *_in_world(pose, box.x, box.y), pose.yaw + box.yaw)
    motion.shown(box, pose.z + box.z, pose.yaw + box.yaw)
