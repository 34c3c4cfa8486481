"""The detector: RGB pictures in, boxes with COCO's names out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.detection import boxes, nanodet
from baygrid.workloads.detection.boxes import Floats
from baygrid.workloads.detection.coco import NAMES
from baygrid.workloads.models import ModelRefused
from baygrid.workloads.models.onnx import Network

LEAST_SCORE: Final = 0.4
OVERLAP: Final = 0.6
MOST: Final = 100
"""Things in one picture, the best."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Detection:
    """`box`: left, top, right, bottom in the picture's pixels, inside of it. `score`: 0 to 1."""

    label: str
    class_index: int
    score: float
    box: tuple[float, float, float, float]


class Detector:
    """NanoDet, or another ONNX file that takes and gives what it does (see `_layout`). One thread."""

    def __init__(self, file: Path | None = None) -> None:
        """None is the default. Raises ModelMissing where it is not here, ModelRefused for another layout."""
        cv2.setNumThreads(1)
        self.network = Network(file or nanodet.prepared())
        self.side, self._planes, self._strides = _layout(self.network)
        self._centres = [boxes.centres(self.side, stride) for stride in self._strides]

    @property
    def batch(self) -> int:
        """How many pictures to give `detect_all` at a time."""
        return self.network.batch

    def detect(self, picture: Pixels) -> tuple[Detection, ...]:
        """What is in an RGB picture (height, width, 3), best first."""
        return self.detect_all([picture])[0]

    def detect_all(self, pictures: Sequence[Pixels]) -> list[tuple[Detection, ...]]:
        """What is in each of them, whatever their sizes."""
        size = (self.side, self.side)
        squares = [cv2.resize(picture, size, interpolation=_how(picture, self.side)) for picture in pictures]
        batch: NDArray[Any] = np.stack(squares) if len(squares) > 1 else squares[0][None]
        if self._planes:
            scaled = (batch.astype(np.float32) - nanodet.MEAN) / nanodet.SPREAD
            batch = np.ascontiguousarray(scaled[..., ::-1].transpose(0, 3, 1, 2))
        outputs = self.network(batch)
        return [
            self._found([output[number] for output in outputs], *picture.shape[1::-1])
            for number, picture in enumerate(pictures)
        ]

    def _found(self, outputs: Sequence[Floats], width: int, height: int) -> tuple[Detection, ...]:
        levels = len(self._strides)
        some: list[tuple[Floats, Floats, NDArray[np.intp]]] = []
        for stride, middle, scores, distances in zip(
            self._strides, self._centres, outputs[:levels], outputs[levels:], strict=True
        ):
            best = scores.max(1)
            (sure,) = np.nonzero(best > LEAST_SCORE)
            if len(sure):
                around = boxes.edges(distances[sure], middle[sure], stride)
                some.append((around, best[sure], scores[sure].argmax(1)))
        if not some:
            return ()
        places, scores, classes = (np.concatenate(each) for each in zip(*some, strict=True))
        scale = np.array([width, height, width, height], np.float32)
        places = np.clip(places * (scale / self.side), 0, scale)
        found = []
        for n in boxes.non_maximum_suppression(places, scores, classes, OVERLAP)[:MOST]:
            left, top, right, bottom = map(float, places[n])
            name = NAMES[classes[n]]
            found.append(Detection(name, int(classes[n]), float(scores[n]), (left, top, right, bottom)))
        return tuple(found)


def _how(picture: Pixels, side: int) -> int:
    """A picture that shrinks to less than a half would lose its thin things between two samples."""
    return cv2.INTER_AREA if min(picture.shape[:2]) > 2 * side else cv2.INTER_LINEAR


def _layout(network: Network) -> tuple[int, bool, tuple[int, ...]]:
    """Pixels along a side, whether colours are planes of float32 (BGR, less the mean, by the spread), and the
    strides. A NanoDet takes uint8 (batch, side, side, 3) RGB or float32 (batch, 3, side, side), and gives for
    each stride (batch, cells, 80), then for each (batch, cells, 4 x bins)."""
    match [(port.kind, port.shape[1:]) for port in network.inputs]:
        case [("tensor(uint8)", (int(side), int(other), 3))] if side == other:
            planes = False
        case [("tensor(float)", (3, int(side), int(other)))] if side == other:
            planes = True
        case found:
            raise ModelRefused(f"{network.file.name} takes {found}, which no NanoDet does")
    shapes = [port.shape[1:] for port in network.outputs]
    for strides in (nanodet.STRIDES, (*nanodet.STRIDES, 64)):
        cells = [len(boxes.centres(side, stride)) for stride in strides]
        scores, distances = shapes[: len(cells)], shapes[len(cells) :]
        right = all(len(shape) == 2 and shape[1] and shape[1] % 4 == 0 for shape in distances)
        if (
            scores == [(n, len(NAMES)) for n in cells]
            and right
            and [shape[0] for shape in distances] == cells
        ):
            return side, planes, strides
    raise ModelRefused(
        f"{network.file.name} gives {shapes}, not a NanoDet's scores of {len(NAMES)} classes and distances "
        f"for the strides {', '.join(map(str, nanodet.STRIDES))} of {side} pixels"
    )
