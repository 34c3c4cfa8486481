"""The default classifier in bf16 wherever that is sure, which is faster on CPUs that have arithmetic for it.

Most of the noise that bf16 brings to the logits arises in the first two stages, a quarter of the work: these
stay fp32. The rest is done in bf16, and once more in fp32 where the two likeliest classes are near each other
(a cascade, after Viola and Jones, CVPR 2001). That the likeliest classes agree with fp32 is tried out, once
on each kind of machine, before the first picture is classified so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, Protocol

import numpy as np
import onnxruntime
from PIL import Image

from baygrid.workloads.images.inputs import photographs
from baygrid.workloads.images.model import (
    CONVERSION,
    SHA256,
    Classifier,
    Floats,
    class_names,
    prepared,
    probabilities,
)
from baygrid.workloads.images.pictures import square
from baygrid.workloads.models import ModelRefused, cache, openvino
from baygrid.workloads.models.onnx import Network
from baygrid.workloads.pictures import Pixels

MARGIN: Final = 0.15
"""Logits that the likeliest class must be ahead, or fp32 is asked: one picture in nine. Chosen on 701
photographs, whose classes then agree on 99.7 %; by bf16 alone on 98.3 %."""

BATCH: Final = 4
"""Pictures for bf16 at a time; one by one it takes a quarter longer."""

LEAST_AGREEMENT: Final = 0.99
TRIED: Final = 300
"""Pictures by which it is judged. The rating judges by others."""

FIRST_TRIED: Final = 1000
CPU: Final = ("CPUExecutionProvider",)


class Answering(Protocol):
    def __call__(self, squares: Sequence[Pixels], /) -> tuple[Floats, Floats | None]: ...


class Bf16Classifier:
    """As model.Classifier."""

    side = 224
    features: int | None = 1280
    batch = BATCH

    def __init__(self) -> None:
        """Converts what no earlier run did, but tries nothing out: see `agreement`."""
        head, tail = halves()
        self.labels = class_names()
        self._head = Network(head, CPU)
        self._tail = Network(tail, CPU)
        self._quick = openvino.Bf16Network(tail, BATCH)

    def __call__(self, squares: Sequence[Pixels]) -> tuple[Floats, Floats | None]:
        """Each picture's probabilities (pictures, classes), and its features (pictures, n)."""
        begun = np.concatenate([self._head(picture[None])[0] for picture in squares])
        logits, features = self._quick(begun)
        for number in np.flatnonzero(_lead(logits) < MARGIN):
            logits[number], features[number] = (rows[0] for rows in self._tail(begun[number : number + 1]))
        return probabilities(logits), features


def halves() -> tuple[Path, Path]:
    """The default model in two files of the cache: from pictures to the end of the second stage, and on."""
    whole = prepared()

    def half(name: str) -> Path:
        def cut() -> bytes:
            from baygrid.workloads.images import graph  # onnx: once in a machine's life

            first, second = graph.halved(whole)
            model: bytes = (first if name == "head" else second).SerializeToString()
            return model

        return cache.get_or_make(f"efficientnet-lite0-{SHA256[:16]}-v{CONVERSION}-{name}.onnx", cut)

    return half("head"), half("tail")


def load() -> Bf16Classifier:
    """Raises ModelRefused where `agreement` does, ModelMissing where OpenVINO is not installed."""
    agreement()
    return Bf16Classifier()


def agreement() -> float:
    """The part (0 to 1) of TRIED pictures whose likeliest class is that of fp32, on this machine's kind of
    processor with these libraries; tried once, then read. Raises ModelRefused where it is too small, and as
    Bf16Network does."""
    about = f"{SHA256} {CONVERSION} {MARGIN} {openvino.platform()} onnxruntime {onnxruntime.__version__}"
    name = f"efficientnet-lite0-bf16-{hashlib.sha256(about.encode()).hexdigest()[:16]}.json"

    def tried() -> bytes:
        found = compared(Bf16Classifier(), Classifier(prepared()), pictures())
        return json.dumps({"agreement": found, "pictures": TRIED, "about": about}).encode()

    return judged(json.loads(cache.get_or_make(name, tried).read_bytes())["agreement"])


def compared(quick: Answering, exact: Answering, squares: Sequence[Pixels]) -> float:
    """The part (0 to 1) of the pictures of which both say the same likeliest class."""
    same = 0
    for first in range(0, len(squares), BATCH):
        some = squares[first : first + BATCH]
        wanted = [exact([each])[0][0].argmax() for each in some]
        same += int((quick(some)[0].argmax(1) == wanted).sum())
    return same / len(squares)


def judged(found: float) -> float:
    """The same; raises ModelRefused where it is too small."""
    if found < LEAST_AGREEMENT:
        raise ModelRefused(
            f"bf16 is not used here: its likeliest class is that of fp32 for {found:.1%} of {TRIED} pictures,"
            f" less than {LEAST_AGREEMENT:.0%}"
        )
    return found


def pictures() -> list[Pixels]:
    """Parts of the photographs, a fifth of the shorter side to all of it; every other one mirrored."""
    sources = [np.asarray(Image.open(entry.at).convert("RGB")) for entry in photographs()]
    return [_part(sources[number % len(sources)], FIRST_TRIED + number) for number in range(TRIED)]


def _part(photograph: Pixels, number: int) -> Pixels:
    chance = Random(number)
    height, width = photograph.shape[:2]
    side = round(min(height, width) * chance.uniform(0.2, 1.0))
    top, left = chance.randint(0, height - side), chance.randint(0, width - side)
    part = square(photograph[top : top + side, left : left + side], Bf16Classifier.side)
    return np.ascontiguousarray(part[:, ::-1]) if number % 2 else part


def _lead(logits: Floats) -> Floats:
    """Of the likeliest class over the next, of each picture."""
    best: Floats = np.partition(logits, -2, 1)[:, -2:]
    lead: Floats = best[:, 1] - best[:, 0]
    return lead
