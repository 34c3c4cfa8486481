"""What a worker sees with: the lidar's boxes by geometry, the cameras' by a model, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baygrid.workloads.driving import lidar
from baygrid.workloads.driving.frames import Box2D, Box3D, Picture, Sweep
from baygrid.workloads.models import ModelMissing

Detector = Callable[[Picture], tuple[Box2D, ...]]


@dataclass(frozen=True)
class Eyes:
    """See perception.Seeing. Without a detector pictures are read and counted, and nothing is seen in
    them; `blind` says why."""

    detector: Detector | None
    blind: str = ""

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]:
        return lidar.boxes(sweep)

    def seen(self, picture: Picture) -> tuple[Box2D, ...]:
        return () if self.detector is None else self.detector(picture)


def seeing(model: Path | None, cameras: bool) -> Eyes:
    """`model`: an ONNX detector instead of the default one. Raises ModelMissing and ModelRefused for it;
    without the default one the rest goes on."""
    # What is compiled is compiled now, not on the first window's account.
    lidar.boxes(Sweep(0.0, "", np.zeros((1, 4), np.float32)))
    if not cameras:
        return Eyes(None, "left out, as was asked for")
    from baygrid.workloads.detection.detector import Detector as Network
    from baygrid.workloads.driving.camera import Camera

    try:
        return Eyes(Camera(Network(model)))
    except ModelMissing as missing:
        if model is not None:
            raise
        return Eyes(None, f"no detector is loaded: {missing}")
