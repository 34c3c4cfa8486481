"""Things in a drive's pictures: decoded here, found by a detector, in the picture's own pixels."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, Protocol

import cv2
import numpy as np

from baygrid.workloads.detection.detector import Detection
from baygrid.workloads.driving.values import Box2D, Picture
from baygrid.workloads.pictures import JPEG, Pixels, bounded, jpeg

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ENOUGH: Final = 416
"""Pixels on the shorter side above which a JPEG may be decoded at a part of its size: the detector's own."""


class ObjectDetector(Protocol):
    """`detection.detector.Detector`: things in an RGB picture (height, width, 3), boxes in its pixels."""

    def detect(self, picture: Pixels) -> Sequence[Detection]: ...


class Camera:
    """What a detector finds in pictures."""

    def __init__(self, detector: ObjectDetector) -> None:
        self._detector = detector

    def __call__(self, picture: Picture) -> tuple[Box2D, ...]:
        """ValueError, in words, if the picture cannot be decoded."""
        rgb, reduced = _decoded(picture.data)
        found = []
        for thing in self._detector.detect(rgb):
            left, top, right, bottom = (side * reduced for side in thing.box)
            found.append(Box2D(picture.topic, left, top, right, bottom, thing.label, thing.score))
        return tuple(found)


def _decoded(data: bytes) -> tuple[Pixels, float]:
    """The picture, and how many of its own pixels lie on one of those here."""
    if data.startswith(_PNG) and len(data) > 24:
        bounded(*struct.unpack(">II", data[16:24]))
        return _whole(data), 1.0
    if not data.startswith(JPEG):
        raise ValueError("neither a JPEG nor a PNG")
    decoded = jpeg(data, _ENOUGH)
    if decoded is None:
        return _whole(data), 1.0
    return decoded.pixels, decoded.width / decoded.pixels.shape[1]


def _whole(data: bytes) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise ValueError("a picture that is damaged")
    return np.asarray(decoded, np.uint8)
