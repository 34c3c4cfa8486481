"""Where there is text: a map of how likely each pixel belongs to a line, and the lines' corners from it.

Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020; sizes and limits are
those of PP-OCRv5 (PaddleOCR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.models.onnx import Network
from baygrid.workloads.pictures import Pixels

LONGEST: Final = 960  # pixels along the side that the model looks at
LARGER: Final = 2.0
"""Small pictures are made larger by no more: lines of small print would run into each other."""

STEP: Final = 32  # its sides are multiples of this
MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32) * 255  # of blue, green, red
SPREAD: Final = np.array([0.229, 0.224, 0.225], np.float32) * 255

LIKELY: Final = 0.3
"""A pixel belongs to a line."""

SURE: Final = 0.6
"""A line is one, by the mean of its pixels."""

LOOSER: Final = 1.5
"""The map shows lines shrunk: they are widened by area * LOOSER / length of the outline."""

LEAST: Final = 3  # pixels of the map along a line's shorter side
MOST: Final = 1000  # lines

Floats = NDArray[np.float32]
Rectangle = tuple[Sequence[float], Sequence[float], float]
"""Middle, size, degrees."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line's corners (4, 2) as x, y in the picture's pixels: top left, top right, bottom right, bottom left
    as it is read."""

    corners: Floats


def find(network: Network, pixels: Pixels) -> list[Place]:
    """The lines of a picture, from top to bottom, then from left to right."""
    height, width = pixels.shape[:2]
    scale = min(LARGER, LONGEST / max(height, width))
    wide, high = (max(STEP, round(size * scale / STEP) * STEP) for size in (width, height))
    small = cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    scaled = (small[..., ::-1].astype(np.float32) - MEAN) / SPREAD
    (likely,) = network(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None]))
    grown = np.array([width / wide, height / high], np.float32)
    edge = np.array([width, height], np.float32)
    return in_order([Place(np.clip(corners * grown, 0, edge)) for corners in outlines(likely[0, 0])])


def outlines(likely: Floats) -> list[Floats]:
    """The corners of each line in a map (rows, columns), in pixels of the map."""
    found, _ = cv2.findContours((likely > LIKELY).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines: list[Floats] = []
    for outline in found[:MOST]:
        middle, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < LEAST or _mean(likely, _corners((middle, (wide, high), angle))) < SURE:
            continue
        more = wide * high * LOOSER / (wide + high)  # to both sides together
        lines.append(_corners((middle, (wide + more, high + more), angle)))
    return lines


def in_order(places: list[Place]) -> list[Place]:
    """Lines whose tops are near each other are one row, from left to right."""
    down = sorted(
        places, key=lambda place: (float(place.corners[:, 1].min()), float(place.corners[:, 0].min()))
    )
    rows: list[list[Place]] = []
    for place in down:
        top, height = float(place.corners[:, 1].min()), float(np.ptp(place.corners[:, 1]))
        if rows and top - float(rows[-1][0].corners[:, 1].min()) < height / 2:
            rows[-1].append(place)
        else:
            rows.append([place])
    return [place for row in rows for place in sorted(row, key=lambda each: float(each.corners[:, 0].min()))]


def _corners(rectangle: Rectangle) -> Floats:
    """Clockwise from the top left."""
    corners = cv2.boxPoints(rectangle)
    across = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (across[:2], across[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _mean(likely: Floats, corners: Floats) -> float:
    """Of the pixels inside."""
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, likely.shape[::-1])
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], [1])
    return float(cv2.mean(likely[low[1] : high[1], low[0] : high[0]], mask)[0])
