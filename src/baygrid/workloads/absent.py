"""Modules that a process of ours does without: libraries look for them though nothing here needs them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


@contextmanager
def without(name: str) -> Iterator[None]:
    """For the length of the block the module is not found, as on a machine that lacks it; if it is there
    already, it stays."""
    absent = _Absent(name)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


def without_pandas() -> None:
    """In a process of ours: pyarrow loads pandas, where it is installed, with the first array that it makes,
    to know one of its series when it is given one. That is 0.3 s and 40 MiB for what it is never given. It
    looks once."""
    with without("pandas"):
        pa.array([0])


class _Absent(MetaPathFinder):
    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == self._name:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None
