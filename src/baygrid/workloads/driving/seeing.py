"""What a worker sees with: the lidar's boxes by geometry, the cameras' by a model, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from baygrid.workloads.driving import lidar
from baygrid.workloads.driving.frames import Box2D, Box3D, Picture, Sweep

Detector = Callable[[Picture], tuple[Box2D, ...]]


@dataclass(frozen=True)
class Eyes:
    """See perception.Seeing. Without a detector pictures are read and counted, and nothing is seen in
    them."""

    detector: Detector | None

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]:
        return lidar.boxes(sweep)

    def seen(self, picture: Picture) -> tuple[Box2D, ...]:
        return () if self.detector is None else self.detector(picture)


def seeing(model: Path | None, cameras: bool) -> Eyes:
    """`model`: an ONNX detector instead of the default one."""
    return Eyes(None)
