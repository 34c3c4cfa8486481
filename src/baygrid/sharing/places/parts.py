"""A file of which parts are asked for, one request for each."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Final

LEAST: Final = 256 << 10
"""Bytes of a request at least: who reads a little often reads on from there."""


class Parts(io.RawIOBase):
    """`get(start, size)`: so many bytes from there."""

    def __init__(self, size: int, get: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._get, self._at = size, get, 0
        self._start, self._kept = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, into: bytearray | memoryview, /) -> int:  # type: ignore[override]
        wanted = max(0, min(len(into), self._size - self._at))
        if wanted == 0:
            return 0
        if not self._start <= self._at < self._start + len(self._kept):
            self._kept = self._get(self._at, min(max(wanted, LEAST), self._size - self._at))
            self._start = self._at
        offset = self._at - self._start
        piece = self._kept[offset : offset + wanted]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
