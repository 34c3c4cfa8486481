"""The tasks `classify` (what is it?) and `embed` (what is it like?), which one pass of the model serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from baygrid.workloads.images.model import Floats
from baygrid.workloads.images.pictures import Upright, square
from baygrid.workloads.pictures import Pixels

GUESSES: Final = 5

GUESS: Final = pa.struct([("label", pa.string()), ("class_index", pa.int16()), ("score", pa.float32())])

CLASSES: Final = (
    pa.field("label", pa.string()),
    pa.field("score", pa.float32()),
    pa.field("class_index", pa.int16()),
    pa.field("top5", pa.list_(GUESS)),
)
"""The likeliest class with the model's probability for it (0 to 1), and the five likeliest, best first."""


def embedding(size: int) -> pa.Field:
    """The classifier's pooled features, `size` of them: near ones are alike."""
    return pa.field("embedding", pa.list_(pa.float32(), size))


class ImageClassifier(Protocol):
    """model.Classifier, or bf16.Bf16Classifier. `side`: pixels of height and width; `batch`: how many
    pictures it likes at a time; `features`: how many numbers describe one, None where they are not said."""

    side: int
    labels: tuple[str, ...]
    features: int | None

    @property
    def batch(self) -> int: ...

    def __call__(self, squares: Sequence[Pixels]) -> tuple[Floats, Floats | None]:
        """Each picture's probabilities (pictures, classes), and its features (pictures, n)."""
        ...


class Classify:
    """Gives either task, or both. `least`: pixels along a picture's shorter side that it can make use of."""

    def __init__(self, classifier: ImageClassifier, tasks: Sequence[str]) -> None:
        self._classifier = classifier
        self._classify, self._embed = "classify" in tasks, "embed" in tasks
        self.least: int | None = classifier.side
        self.batch = classifier.batch

    def __call__(self, pictures: Sequence[Upright]) -> list[dict[str, Any]]:
        """Columns of each picture."""
        squares = [square(picture.pixels, self._classifier.side) for picture in pictures]
        scores, features = self._classifier(squares)
        rows: list[dict[str, Any]] = [{} for _ in pictures]
        if self._classify:
            for row, each in zip(rows, scores, strict=True):
                row.update(_classes(each, self._classifier.labels))
        if self._embed and features is not None:
            for row, each in zip(rows, features, strict=True):
                row["embedding"] = each
        return rows


def _classes(scores: Floats, labels: Sequence[str]) -> dict[str, Any]:
    """Of equal scores the class of the lower number is first."""
    near = np.argpartition(-scores, min(GUESSES, len(scores) - 1))[:GUESSES].tolist()
    best = sorted(near, key=lambda number: (-scores[number], number))
    top5 = [{"label": labels[n], "class_index": n, "score": float(scores[n])} for n in best]
    return {**top5[0], "top5": top5}
