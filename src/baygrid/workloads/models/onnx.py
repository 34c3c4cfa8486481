"""ONNX Runtime: a model's file on the best device that is really there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort
from numpy.typing import NDArray

from baygrid.workloads.models import ModelMissing, ModelRefused

PROVIDERS: Final = ("CUDAExecutionProvider", "CANNExecutionProvider", "CPUExecutionProvider")
"""Best first."""

CPU: Final = "CPU"

ACCELERATOR_BATCH: Final = 64
"""Inputs per inference on an accelerator; a CPU is fastest with one at a time (its caches hold one)."""

ERRORS_ONLY: Final = 3

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output. `kind` is ONNX's word, such as "tensor(float)"; a size that varies is None."""

    name: str
    kind: str
    shape: tuple[int | None, ...]


class Network:
    """A model that is loaded. One thread of a CPU, which never spins: workers are processes."""

    def __init__(self, file: Path, providers: tuple[str, ...] = PROVIDERS) -> None:
        """Raises ModelMissing where there is no such file, ModelRefused where it is no model."""
        if not file.is_file():
            raise ModelMissing(f"{file} is not there")
        self.file = file
        self._session = session(file, providers)
        self.provider: str = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        """CUDA, CANN or CPU: what was loaded, not what was wished for."""
        self.inputs = tuple(_port(node) for node in self._session.get_inputs())
        self.outputs = tuple(_port(node) for node in self._session.get_outputs())
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    @property
    def batch(self) -> int:
        """How many inputs to give at a time: as many as the model is fixed to, else as the device likes."""
        first = self.inputs[0].shape[0] if self.inputs[0].shape else 1
        if first is not None:
            return first
        return 1 if self.provider == CPU else ACCELERATOR_BATCH

    def __call__(self, *inputs: Array) -> list[Array]:
        """All outputs, in the model's order, for all of its inputs in the model's order."""
        feed = {port.name: value for port, value in zip(self.inputs, inputs, strict=True)}
        outputs: list[Array] = self._session.run(None, feed)
        return outputs


def session(model: Path | bytes, providers: tuple[str, ...] = PROVIDERS) -> ort.InferenceSession:
    """The model of a file, or its bytes, on one thread. What this build of ONNX Runtime knows may yet fail to
    load for want of a library or a device; it then takes the next by itself. Raises ModelRefused."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = ERRORS_ONLY
    present = ort.get_available_providers()
    if "CUDAExecutionProvider" in present:
        ort.preload_dlls()  # CUDA's libraries may be inside wheels
    wanted = [provider for provider in providers if provider in present]
    try:
        return ort.InferenceSession(model, options, providers=wanted)
    except Exception as wrong:  # ONNX Runtime has a class of error for each way, all right below it
        name = model.name if isinstance(model, Path) else "the graph"
        raise ModelRefused(f"{name} is no model for ONNX Runtime: {wrong}") from wrong


def _port(node: Any) -> Port:
    return Port(node.name, node.type, tuple(size if isinstance(size, int) else None for size in node.shape))
