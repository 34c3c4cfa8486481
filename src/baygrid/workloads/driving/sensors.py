"""What a worker sees with: the lidar's boxes by geometry, the cameras' by a model, where there is one.

It has no memory, so that shards may run anywhere in any order. What needs the order of time runs once for
each drive, in `finish`: `tracking.smoothing.follow`, `scenarios.detection.events`. Both are light, and hold
no more than a few seconds of frames at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from baygrid.workloads.driving.lidar import detection
from baygrid.workloads.driving.values import Box2D, Box3D, Picture, Sweep
from baygrid.workloads.models import ModelMissing

Detector = Callable[[Picture], tuple[Box2D, ...]]


@dataclass(frozen=True)
class Perception:
    """Without a detector pictures are read and counted, and nothing is seen in them; `blind` says why, and is
    empty where they are looked at."""

    detector: Detector | None
    blind: str = ""

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]:
        return detection.boxes(sweep)

    def seen(self, picture: Picture) -> tuple[Box2D, ...]:
        """A picture that cannot be decoded raises, in words. Only that picture is lost."""
        return () if self.detector is None else self.detector(picture)


def load(model: Path | None, cameras: bool) -> Perception:
    """`model`: an ONNX detector instead of the default one. Raises ModelMissing and ModelRefused for it;
    without the default one the rest goes on."""
    detection.compile_all()
    if not cameras:
        return Perception(None, "left out, as was asked for")
    from baygrid.workloads.detection.detector import Detector as Network
    from baygrid.workloads.driving.camera import Camera

    try:
        return Perception(Camera(Network(model)))
    except ModelMissing as missing:
        if model is not None:
            raise
        return Perception(None, f"no detector is loaded: {missing}")
