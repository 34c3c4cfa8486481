"""What an open file is, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 30.0
"""Seconds without a byte from a server."""


class NotThere(Exception):
    """A file that cannot be read, and why."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that is open: `read(offset, length)` gives that piece, shorter at the file's end."""

    size: int
    read: Callable[[int, int], bytes]
    close: Callable[[], None]
