"""What every place can: tell its files, open one."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from baygrid.ports.reader import ReadFailed

MAX_FILES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """`path`: below the place, with "/". `mark`: another one when the content may have changed. `at`:
    milliseconds since 1970, when it was written."""

    path: str
    size: int
    mark: str
    at: int


class Place(Protocol):
    """Of a file that is a source by itself, the place is the folder around it, with nothing else in it."""

    def entries(self, below: str = "") -> list[Entry]:
        """All files at any depth below a folder, by path. Raises ReadFailed."""
        ...

    def open(self, path: str) -> io.RawIOBase:
        """To read and seek in. Raises ReadFailed."""
        ...


def bring(place: Place, path: str, into: Path) -> Path:
    """A copy of one file."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with place.open(path) as source, into.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return into


def safe(path: str) -> list[str]:
    """The parts of a path below a place. Raises ReadFailed for one that leads out of it."""
    parts = path.split("/")
    if "://" in path or any(part in ("", ".", "..") for part in parts):
        raise ReadFailed(f"{path[:200]} lies outside of the table's own folder, which is not read")
    return parts
