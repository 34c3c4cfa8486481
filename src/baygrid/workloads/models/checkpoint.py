"""Reads the tensors out of a PyTorch checkpoint without PyTorch, and without letting the file run anything.

A checkpoint of the older layout is a row of pickles (magic number, version, facts about the writer, the
tensors' descriptions, the list of storages) and then the storages' raw numbers. A pickle may call any
function it names; here only the few names that describe tensors are known, and they do no more than that."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.models import ModelRefused

Tensor = NDArray[Any]

MAGIC: Final = 0x1950A86A20F9469CFC6C
VERSION: Final = 1001

DAMAGE: Final = (
    pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What reading a file that is no checkpoint ends in."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of `length` numbers, to be read later."""

    key: str
    dtype: np.dtype[Any]
    length: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor as a view of a storage; offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _describe(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    return _View(storage, offset, shape, strides)


_KNOWN: Final[Mapping[tuple[str, str], Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _describe,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise ModelRefused(f"the weights ask for {module}.{name}, which is no tensor")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", np.dtype() as dtype, str(key), _, int(length), None) if length >= 0:
                return _Storage(key, dtype, length)
        raise ModelRefused(f"the weights name something that is no storage: {pid!r:.80}")


def read(file: BinaryIO) -> dict[str, Tensor]:
    """The checkpoint's tensors by name. Raises ModelRefused for anything else than a plain checkpoint."""
    try:
        if _Reader(file).load() != MAGIC or _Reader(file).load() != VERSION:
            raise ModelRefused("the weights are not a PyTorch checkpoint of the older layout")
        writer, described, keys = (_Reader(file).load() for _ in range(3))
        if not writer["little_endian"]:
            raise ModelRefused("the weights are big-endian")
        views = {name: view for name, view in described.items() if isinstance(view, _View)}
        storages = {view.storage.key: view.storage for view in views.values()}
        numbers = {key: _numbers(file, storages[key]) for key in keys}
        return {name: _tensor(view, numbers[view.storage.key]) for name, view in views.items()}
    except DAMAGE as wrong:
        raise ModelRefused(f"the weights are damaged: {wrong}") from wrong


def _numbers(file: BinaryIO, storage: _Storage) -> Tensor:
    length = int.from_bytes(file.read(8), "little")
    if length != storage.length:
        raise ModelRefused(f"storage {storage.key} holds {length} numbers, not {storage.length}")
    data = file.read(length * storage.dtype.itemsize)
    return np.frombuffer(data, storage.dtype, length)


def _tensor(view: _View, numbers: Tensor) -> Tensor:
    steps = zip(view.shape, view.strides, strict=True)
    last = view.offset + sum((size - 1) * stride for size, stride in steps)
    if min((view.offset, *view.shape, *view.strides)) < 0 or max(last + 1, prod(view.shape)) > len(numbers):
        raise ModelRefused("a tensor reaches outside its storage")
    strides = [stride * numbers.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides).copy(order="C")
