"""The task `detect`: what is in a picture, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from baygrid.workloads.detection.detector import Detection, Detector
from baygrid.workloads.images.pictures import Upright

THING: Final = pa.struct(
    [
        ("label", pa.string()), ("class_index", pa.int16()), ("score", pa.float32()),
        ("left", pa.float32()), ("top", pa.float32()), ("right", pa.float32()), ("bottom", pa.float32()),
    ]
)  # fmt: skip

COLUMNS: Final = (pa.field("objects", pa.list_(THING)),)
"""COCO's classes with their scores (0 to 1), best first, and their boxes in the picture's pixels."""


class Detect:
    """`least`: pixels along a picture's shorter side that the detector can make use of."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.least: int | None = detector.side
        self.batch = detector.batch

    def __call__(self, pictures: Sequence[Upright]) -> list[dict[str, Any]]:
        """Columns of each picture."""
        found = self._detector.detect_all([picture.pixels for picture in pictures])
        return [
            {"objects": [_row(each, picture.scale) for each in things]}
            for picture, things in zip(pictures, found, strict=True)
        ]


def _row(found: Detection, scale: float) -> dict[str, Any]:
    edges = zip(("left", "top", "right", "bottom"), found.box, strict=True)
    about = {"label": found.label, "class_index": found.class_index, "score": found.score}
    return {**about, **{edge: place * scale for edge, place in edges}}
