"""Checkpoints: tensors come out right, and nothing else gets in."""

import io
import os
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baygrid.workloads.models import ModelRefused, checkpoint
from baygrid.workloads.models.checkpoint import MAGIC, VERSION

HEAD = b"".join(pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"little_endian": True}))


class Storage:
    """Written as `torch.FloatStorage` would be."""


Storage.__module__, Storage.__qualname__ = "torch", "FloatStorage"


def _rebuild_tensor_v2(*_: Any) -> None: ...


_rebuild_tensor_v2.__module__ = "torch._utils"


class Tensor:
    def __init__(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.layout = offset, shape, strides

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_tensor_v2, (Kept(), *self.layout, False, OrderedDict())


class Kept:
    """The storage "0" of six numbers that every tensor here is a view of."""


class Writer(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return ("storage", Storage, "0", "cpu", 6, None) if isinstance(value, Kept) else None


@pytest.fixture(autouse=True)
def torch_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just the two names the writer above refers to; the reader must not look at them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    monkeypatch.setattr(torch, "FloatStorage", Storage, raising=False)
    monkeypatch.setattr(utils, "_rebuild_tensor_v2", _rebuild_tensor_v2, raising=False)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def written(tensors: object, numbers: int = 6) -> io.BytesIO:
    file = io.BytesIO()
    file.write(HEAD)
    Writer(file, 2).dump(tensors)
    file.write(pickle.dumps(["0"], 2))
    file.write((6).to_bytes(8, "little") + np.arange(numbers, dtype="<f4").tobytes())
    file.seek(0)
    return file


def test_tensors_are_read_by_their_strides():
    found = checkpoint.read(
        written({"rows": Tensor(0, (2, 3), (3, 1)), "columns": Tensor(0, (3, 2), (1, 3))})
    )
    assert found["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["columns"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_checkpoint_that_calls_a_program_is_refused_and_calls_nothing(tmp_path: Path):
    mark = tmp_path / "was-here"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {mark}",)

    with pytest.raises(ModelRefused, match=r"ask for posix\.system"):
        checkpoint.read(written({"conv": Evil()}))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["builtins.eval", "builtins.getattr", "torch._utils._rebuild_parameter"])
def test_any_name_but_a_tensors_is_refused(name: str):
    module, _, attribute = name.rpartition(".")
    reference = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"."
    with pytest.raises(ModelRefused, match=f"ask for {name}"):
        checkpoint.read(io.BytesIO(HEAD + reference))


@pytest.mark.parametrize(
    "tensor",
    [
        pytest.param(Tensor(0, (2, 4), (4, 1)), id="too many"),
        pytest.param(Tensor(6, (1,), (1,)), id="behind"),
        pytest.param(Tensor(-1, (1,), (1,)), id="before"),
        pytest.param(Tensor(5, (2,), (-1,)), id="backwards"),
        pytest.param(Tensor(0, (1_000_000,), (0,)), id="one number a million times"),
        pytest.param(Tensor(0, (6,), (1, 1)), id="shape and strides differ"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tensor: Tensor):
    with pytest.raises(ModelRefused):
        checkpoint.read(written({"conv": tensor}))


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", HEAD, HEAD + pickle.dumps([1], 2) * 2, written({}).read()[:-1] + b"x" * 9],
    ids=["empty", "newer layout", "cut off", "no names", "storage of nobody"],
)
def test_what_is_no_checkpoint_is_refused(data: bytes):
    with pytest.raises(ModelRefused):
        checkpoint.read(io.BytesIO(data))


def test_a_storage_cut_short_is_refused():
    with pytest.raises(ModelRefused, match="damaged"):
        checkpoint.read(written({"conv": Tensor(0, (6,), (1,))}, numbers=5))
