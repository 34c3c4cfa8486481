"""What a worker sees in a drive's frames: boxes of sweeps, and of pictures where a detector is there."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from baygrid.workloads.driving import lidar
from baygrid.workloads.driving.frames import Box2D, Box3D, Picture, Sweep

Pixels = NDArray[np.uint8]

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS: Final = 64_000_000
"""A header may promise anything; no camera of a vehicle has more pixels."""
_ENOUGH: Final = 416
"""Pixels on the shorter side above which a JPEG may be decoded at a part of its size: the detector's own."""


class Detector(Protocol):
    """Things in an RGB picture (height, width, 3): label, score, and left, top, right, bottom in pixels."""

    def detect(self, rgb: Pixels) -> Sequence[tuple[str, float, tuple[float, float, float, float]]]: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A perception.Seeing. Without a detector nothing is seen in pictures, and the rest goes on."""

    detector: Detector | None = None

    def boxes(self, sweep: Sweep) -> tuple[Box3D, ...]:
        return lidar.boxes(sweep)

    def seen(self, picture: Picture) -> tuple[Box2D, ...]:
        """ValueError, in words, if the picture cannot be decoded."""
        if self.detector is None:
            return ()
        rgb, reduced = _decoded(picture.data)
        found = []
        for label, score, box in self.detector.detect(rgb):
            left, top, right, bottom = (float(side) * reduced for side in box)
            found.append(Box2D(picture.topic, left, top, right, bottom, label, float(score)))
        return tuple(found)


def _decoded(data: bytes) -> tuple[Pixels, float]:
    """The picture, and how many of its own pixels lie on one of those here."""
    if data.startswith(_PNG) and len(data) > 24:
        _fits(*struct.unpack(">II", data[16:24]))
        return _whole(data), 1.0
    if not data.startswith(_JPEG):
        raise ValueError("neither a JPEG nor a PNG")
    height, width, colour, _ = simplejpeg.decode_jpeg_header(data)
    _fits(width, height)
    if colour in {"CMYK", "YCCK"}:
        return _whole(data), 1.0
    rgb = simplejpeg.decode_jpeg(
        data, "RGB", fastdct=True, fastupsample=True, min_height=_ENOUGH, min_width=_ENOUGH, min_factor=2
    )
    return rgb, width / rgb.shape[1]


def _whole(data: bytes) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise ValueError("a picture that is damaged")
    return np.asarray(decoded, np.uint8)


def _fits(width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than {_MOST_PIXELS:,}")
