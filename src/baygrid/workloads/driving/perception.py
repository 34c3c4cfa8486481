"""What perception does for a worker. It has no memory, so that shards may run anywhere in any order.

What needs the order of time runs once for each drive, in `finish`: `tracking.follow`, `scenarios.events`.
Both are light, and hold no more than a few seconds of frames at a time."""

from __future__ import annotations

from typing import Protocol

from baygrid.workloads.driving.frames import Box2D, Box3D, Picture, Sweep


class Seeing(Protocol):
    """`lidar.boxes` and `camera.Camera`. A picture that cannot be decoded raises ValueError, in words."""

    @property
    def blind(self) -> str:
        """Why nothing is seen in pictures; empty where they are looked at."""

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]: ...

    def seen(self, picture: Picture) -> tuple[Box2D, ...]: ...
