"""What a line of text says: cut out of its picture, turned if it stands on its head, and recognised.

Shi et al., An End-to-End Trainable Neural Network for Image-based Sequence Recognition, TPAMI 2017: a class
for each step from left to right; repeats are one, and between two that are really there lies a blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.images.reading.places import MEAN, SPREAD
from baygrid.workloads.models.onnx import Network
from baygrid.workloads.pictures import Pixels

HEIGHT: Final = 48  # pixels of a line for the recogniser
LEAST_WIDTH: Final = 320
MOST_WIDTH: Final = 3200
UPRIGHT: Final = (160, 80)  # width and height for the classifier of how a line lies
TURNED: Final = 0.9
"""It stands on its head, if the classifier is so sure."""

STANDING: Final = 1.5  # so much higher than wide: a line from top to bottom
BLANK: Final = 0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """A line's text, and the mean probability of its letters (0 to 1)."""

    text: str
    score: float


def cut(pixels: Pixels, corners: Floats) -> Pixels:
    """The line as a picture of its own, lying; corners clockwise from the top left."""
    top, right, bottom, left = (float(np.linalg.norm(corners[n] - corners[(n + 1) % 4])) for n in range(4))
    width, height = max(1, round(max(top, bottom))), max(1, round(max(right, left)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    how = cv2.getPerspectiveTransform(corners, target)
    line = cv2.warpPerspective(
        pixels, how, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if height >= width * STANDING:
        line = cv2.rotate(line, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return line.astype(np.uint8, copy=False)


def upright(network: Network, line: Pixels) -> Pixels:
    """The line, turned by half a circle where it stands on its head."""
    small = cv2.resize(line, UPRIGHT, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    scaled = (small - MEAN) / SPREAD
    (probabilities,) = network(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None]))
    return np.ascontiguousarray(line[::-1, ::-1]) if probabilities[0, 1] > TURNED else line


def recognise(network: Network, letters: Sequence[str], line: Pixels) -> Said:
    """What it says. `letters`: the text of each class, the blank's among them."""
    height, width = line.shape[:2]
    wide = min(MOST_WIDTH, max(1, round(width * HEIGHT / height)))
    small = cv2.resize(line, (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
    planes = np.zeros((1, 3, HEIGHT, max(LEAST_WIDTH, wide)), np.float32)
    planes[0, :, :, :wide] = (small[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
    (probabilities,) = network(planes)
    return decoded(probabilities[0], letters)


def decoded(probabilities: Floats, letters: Sequence[str]) -> Said:
    """`probabilities`: (steps, classes)."""
    best = probabilities.argmax(1)
    first = np.array([True, *(one != other for one, other in pairwise(best.tolist()))])
    kept = first & (best != BLANK)
    if not kept.any():
        return Said("", 0.0)
    text = "".join(letters[number] for number in best[kept])
    return Said(text, float(probabilities.max(1)[kept].mean()))
