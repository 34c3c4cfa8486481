"""OpenVINO: a model in bf16 on a CPU that has arithmetic for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.models import ModelMissing, ModelRefused, packages

EXTRA: Final = "images-bf16"

_SETTINGS: Final = {
    "INFERENCE_PRECISION_HINT": "bf16",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,  # workers are processes, and each would pin itself to the same core
}

Floats = NDArray[np.float32]


class Bf16Network:
    """A model of one input that is loaded. One thread; numbers go in and come out as float32."""

    def __init__(self, file: Path, batch: int) -> None:
        """`batch`: inputs to an inference, which is compiled for so many. Raises ModelMissing where OpenVINO
        is not installed, ModelRefused where this CPU has no bf16, or the file is no model."""
        core = _core()
        try:
            model = core.read_model(file)
            model.reshape([batch, *model.input(0).partial_shape[1:]])
            self._request = core.compile_model(model, "CPU", _SETTINGS).create_infer_request()
        except RuntimeError as wrong:
            raise ModelRefused(f"{file.name} is no model for OpenVINO: {wrong}") from wrong
        self._batch = batch
        self._outputs = len(model.outputs)

    def __call__(self, inputs: Floats) -> list[Floats]:
        """All outputs for all of `inputs`. What an input gives does not depend on those beside it."""
        each = zip(*self._each(inputs), strict=True)
        return [np.concatenate(parts) for parts in each]

    def _each(self, inputs: Floats) -> Iterator[list[Floats]]:
        for first in range(0, len(inputs), self._batch):
            some = inputs[first : first + self._batch]
            here = len(some)
            if here < self._batch:  # the last is filled up with copies, whose answers are left out
                some = np.concatenate([some, np.repeat(some[-1:], self._batch - here, 0)])
            answers = self._request.infer([some], share_inputs=True)
            yield [answers[number][:here] for number in range(self._outputs)]


def platform() -> str:
    """The processor and OpenVINO's version, on which it depends what bf16 gives. Raises as Bf16Network."""
    core = _core()
    name = core.get_property("CPU", "FULL_DEVICE_NAME").strip()
    abilities = ",".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    return f"{name} ({abilities}), openvino {metadata.version('openvino')}"


def _core() -> Any:
    """OpenVINO reports to its makers that it was imported, and marks the user's home for it, unless it finds
    the package for that missing, as it is told here."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except ModuleNotFoundError as missing:
        raise ModelMissing(f"OpenVINO is missing: {packages.cure(EXTRA)}") from missing
    core = openvino.Core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ModelRefused("this CPU has no arithmetic in bf16 (AVX512-BF16 or AMX): use fp32")
    return core
