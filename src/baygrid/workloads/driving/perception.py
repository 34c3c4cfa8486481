"""What perception does for the application, of frames in a worker and of a drive after.

A worker holds one `Seeing`; it has no memory, so that shards may run anywhere in any order. What needs the
order of time runs once for each drive, in `finish`: `Following`, then `Telling`. Both must be light, and hold
no more than a few seconds of frames at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from baygrid.workloads.driving.frames import (
    Box2D,
    Box3D,
    Camera,
    Event,
    Frame,
    Picture,
    Sweep,
    Tracked,
    Trajectory,
)


class Seeing(Protocol):
    """`lidar.boxes` and `camera.Camera`. A picture that cannot be decoded raises ValueError, in words."""

    @property
    def blind(self) -> str:
        """Why nothing is seen in pictures; empty where they are looked at."""

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]: ...

    def seen(self, picture: Picture) -> tuple[Box2D, ...]: ...


class Following(Protocol):
    """`tracking.follow`: tracks from the frames of a drive in order of time (sweeps and pictures); those
    of one sweep come together, in order of time."""

    def __call__(
        self, frames: Iterable[Frame], trajectory: Trajectory, cameras: Sequence[Camera]
    ) -> Iterator[Tracked]: ...


class Telling(Protocol):
    """`scenarios.events`: the events of a drive by their begin, from the own way and the tracks as they come.
    Without tracks (no lidar) those of the own motion alone."""

    def __call__(self, trajectory: Trajectory, tracked: Iterable[Tracked]) -> list[Event]: ...
