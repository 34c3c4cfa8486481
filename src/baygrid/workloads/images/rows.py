"""What is said of one picture, and the stage from pictures to rows, which any engine may run on a batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from baygrid.workloads.images import pictures
from baygrid.workloads.images.model import Classifier
from baygrid.workloads.images.pictures import Picture, Pixels


@dataclass(frozen=True, slots=True)
class Guess:
    """One of ImageNet's classes, and the model's probability for it (0 to 1)."""

    label: str
    class_index: int
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """The five likeliest classes, best first, and the best one's parts beside; or the error, and no class."""

    path: str
    label: str | None = None
    score: float | None = None
    class_index: int | None = None
    top5: tuple[Guess, ...] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A batch's rows in its order, and the seconds its worker took to read and decode, and for the rest."""

    rows: tuple[Row, ...]
    decode_seconds: float
    infer_seconds: float


def classify(batch: Sequence[Picture], classifier: Classifier) -> Answer:
    """Reads, decodes and classifies each picture anew; the row of one that cannot be read says why."""
    began = time.perf_counter()
    read = [_read(picture) for picture in batch]
    decoded = time.perf_counter()
    squares = [pixels for pixels in read if not isinstance(pixels, str)]
    guesses = iter(
        [_guess(logits, classifier.labels) for logits in classifier.logits(squares)] if squares else ()
    )
    rows = tuple(
        Row(picture.name, error=pixels) if isinstance(pixels, str) else _row(picture, next(guesses))
        for picture, pixels in zip(batch, read, strict=True)
    )
    return Answer(rows, decoded - began, time.perf_counter() - decoded)


def _read(picture: Picture) -> Pixels | str:
    """The picture's square, or why there is none."""
    try:
        return pictures.decode(picture.path.read_bytes())
    except UnidentifiedImageError:
        return "not a picture of a known format"
    except Exception as error:  # noqa: BLE001 - decoders fail on a damaged file in every way there is; only it is lost
        return f"{type(error).__name__}: {error}"


def _guess(logits: NDArray[np.float32], labels: Sequence[str]) -> tuple[Guess, ...]:
    odds = np.exp(logits - logits.max())
    scores = odds / odds.sum()
    return tuple(Guess(labels[i], int(i), float(scores[i])) for i in np.argsort(-scores, kind="stable")[:5])


def _row(picture: Picture, top5: tuple[Guess, ...]) -> Row:
    best = top5[0]
    return Row(picture.name, best.label, best.score, best.class_index, top5)
