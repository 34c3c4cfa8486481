"""Tracks in the world frame from the boxes of a drive's sweeps, and what its cameras see of them.

Rows leave LAG seconds after their sweep: by then it is known whether a track is a thing at all, of what
kind and how large it is, and where it stands if it rests."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.workloads.driving.tracking.fusion import Views
from baygrid.workloads.driving.tracking.track import Motion
from baygrid.workloads.driving.tracking.tracker import Tracker
from baygrid.workloads.driving.values import OTHER, Frame, Pose, Tracked, Trajectory

LAG: Final = 2.0
"""Seconds that rows wait for."""
_NEVER_LEFT: Final = 0.7
"""Metres from its first place, no further than which a thing at rest was always at rest."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What a track was at a sweep, and the track as it goes on."""

    motion: Motion
    pose: Pose
    x: float
    y: float
    yaw: float
    vx: float
    vy: float
    resting: bool
    points: int
    seen: int
    score: float


def follow(frames: Iterable[Frame], trajectory: Trajectory, views: Views) -> Iterator[Tracked]:
    """The tracks of a drive at each of its sweeps, those of one sweep together, in order of time, as its
    frames are (sweeps and pictures). Same frames, same rows."""
    tracker = Tracker()
    waiting: deque[tuple[float, list[_Row]]] = deque()
    for frame in frames:
        pose = trajectory.at(frame.t)
        if frame.seen is not None:
            views.look(frame, pose, tracker.sure())
        if frame.boxes is None:
            continue
        points = tracker.step(frame.t, frame.boxes, pose)
        views.forget(frame.t)
        waiting.append((frame.t, [_row(motion, pose, points, views) for motion in tracker.motions]))
        while waiting and waiting[0][0] < frame.t - LAG:
            yield from _told(waiting.popleft()[1])
    for _, rows in waiting:
        yield from _told(rows)


def _row(motion: Motion, pose: Pose, points: Mapping[int, int], views: Views) -> _Row:
    return _Row(
        motion, pose, motion.x, motion.y, motion.yaw, motion.vx, motion.vy, motion.resting,
        points.get(motion.track, 0), views.count(motion.track, pose.t), motion.score,
    )  # fmt: skip


def _told(rows: list[_Row]) -> Iterator[Tracked]:
    for row in rows:
        motion = row.motion
        if not motion.sure or motion.kind == OTHER or (row.points == 0 and motion.seen <= row.pose.t):
            continue
        settled = motion.resting and (row.resting or motion.moved < _NEVER_LEFT)
        x, y, yaw = (motion.x, motion.y, motion.yaw) if settled else (row.x, row.y, row.yaw)
        vx, vy = (0.0, 0.0) if settled else (row.vx, row.vy)
        c, s = math.cos(row.pose.yaw), math.sin(row.pose.yaw)
        dx, dy = x - row.pose.x, y - row.pose.y
        yield Tracked(
            t=row.pose.t, track=motion.track, kind=motion.kind, x=x, y=y, z=motion.z,
            length=motion.length, width=motion.width, height=motion.height, yaw=math.remainder(yaw, math.tau),
            vx=vx, vy=vy,
            ahead=c * dx + s * dy, left=c * dy - s * dx, points=row.points, seen=row.seen, score=row.score,
        )  # fmt: skip
