"""What a camera would show of a synthetic drive: plain boxes on a grey road under a pale sky.

These are no photographs. A detector trained on photographs finds little in them, so that they exercise
reading, decoding and inference; what is truly to be seen in each (`view`) stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from baygrid.workloads.driving.synthetic.drive import Drive
from baygrid.workloads.driving.values import CYCLIST, OTHER, PEDESTRIAN, VEHICLE, Box2D, Camera, Floats

TOPIC: Final = "/cam_front/image/compressed"
PLACE: Final = (1.6, 0.0, 1.5)
"""Where the camera is in the vehicle frame; it looks straight ahead."""
WIDTH, HEIGHT, FOCUS = 960, 540, 760.0
FRONT: Final = Camera(
    TOPIC, WIDTH, HEIGHT, FOCUS, FOCUS, WIDTH / 2, HEIGHT / 2,
    (0.0, 0.0, 1.0, PLACE[0], -1.0, 0.0, 0.0, PLACE[1], 0.0, -1.0, 0.0, PLACE[2], 0.0, 0.0, 0.0, 1.0),
)  # fmt: skip
NEAREST: Final = 0.6
"""Metres ahead of the camera from which a thing is drawn."""
LEAST: Final = 60
"""Pixels of a thing that must be seen, that it counts as seen."""

LABELS: Final = {VEHICLE: "car", PEDESTRIAN: "person", CYCLIST: "person"}
"""What a detector of COCO's classes would call it; a rider is a person to it."""
COLOURS: Final = {
    VEHICLE: (170, 70, 50),
    PEDESTRIAN: (60, 120, 215),
    CYCLIST: (80, 160, 90),
    OTHER: (150, 155, 165),
}
"""Blue, green, red."""
SKY, ROAD = (235, 220, 200), (105, 105, 105)

_CORNERS: Final = np.array(list(product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0))))
_FACES: Final = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (1, 3, 7, 5))
_SHADES: Final = (1.0, 0.95, 0.8, 0.85, 1.15)


@dataclass(frozen=True, slots=True)
class View:
    """A picture (HEIGHT, WIDTH, 3; blue, green, red), and what is to be seen: the thing's number and its
    box."""

    pixels: NDArray[np.uint8]
    seen: tuple[tuple[int, Box2D], ...]


def view(drive: Drive, number: int) -> View:
    """What the front camera sees at a sweep."""
    things, boxes = drive.around(number)
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 2], pixels[HEIGHT // 2 :] = SKY, ROAD
    on = np.zeros((HEIGHT, WIDTH), np.int32)  # 1 for the first thing
    for i in np.argsort(-np.hypot(boxes[:, 0], boxes[:, 1])):
        _draw(pixels, on, int(i) + 1, boxes[i], COLOURS[drive.things[things[i]].kind])
    counts = np.bincount(on.ravel(), minlength=len(things) + 1)[1:]
    seen = []
    for i, found in enumerate(find_objects(on, len(things))):
        kind = drive.things[things[i]].kind
        if kind in LABELS and counts[i] >= LEAST:
            down, across = found
            left, top, right, bottom = across.start, down.start, across.stop, down.stop
            box = Box2D(TOPIC, float(left), float(top), float(right), float(bottom), LABELS[kind], 1.0)
            seen.append((things[i], box))
    return View(pixels, tuple(seen))


def jpeg(view: View) -> bytes:
    """The picture as a camera would send it."""
    _, data = cv2.imencode(".jpg", view.pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes()


def _draw(
    pixels: NDArray[np.uint8], on: NDArray[np.int32], number: int, box: Floats, colour: tuple[int, ...]
) -> None:
    x, y, yaw, length, width, height = box
    local = _CORNERS * (length, width, height)
    c, s = np.cos(yaw), np.sin(yaw)
    ahead = x + c * local[:, 0] - s * local[:, 1] - PLACE[0]
    left = y + s * local[:, 0] + c * local[:, 1] - PLACE[1]
    if ahead.min() < NEAREST:
        return
    shown = np.column_stack(
        [WIDTH / 2 - FOCUS * left / ahead, HEIGHT / 2 - FOCUS * (local[:, 2] - PLACE[2]) / ahead]
    )
    faces = sorted(range(len(_FACES)), key=lambda f: -float(np.hypot(ahead, left)[list(_FACES[f])].mean()))
    for face in faces:
        corners = np.round(shown[list(_FACES[face])]).astype(np.int32)
        cv2.fillConvexPoly(pixels, corners, [min(255.0, value * _SHADES[face]) for value in colour])
        cv2.fillConvexPoly(on, corners, number)
