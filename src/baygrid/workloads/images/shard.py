"""The pictures of a shard, read one after another, wherever they lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

from baygrid.workloads.images import tables, tars
from baygrid.workloads.images.pictures import MAX_BYTES
from baygrid.workloads.storage.names import clean, words
from baygrid.workloads.storage.readable import NotThere, Readable
from baygrid.workloads.storage.reading import is_remote, opened

PICTURES: Final = frozenset(
    {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)

MOST_TOGETHER: Final = 8192
"""Pictures in one shard, whose rows are in memory until its end."""

BYTES_IN_PICTURE: Final = 100_000
"""A guess, for how many are in a tar that is not listed before it is read."""

AHEAD: Final = 8 << 20
"""Bytes that are fetched at a time of a tar that is far away."""


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the input: its bytes, or why there are none."""

    name: str
    data: bytes | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a shard that proved too long: its work, and about how many pictures that is."""

    work: str
    units: float


class Reader:
    """The pictures of a shard's work; what cannot be read comes with its reason. Afterwards `rest` is what
    another shard has to do, None where nothing is left."""

    def __init__(self, work: str) -> None:
        self._work: dict[str, Any] = json.loads(work)
        self.rest: Rest | None = None

    def __iter__(self) -> Iterator[Found]:
        work = self._work
        if "files" in work:
            return (_whole(at, name) for at, name in work["files"])
        if "tar" in work:
            return self._of_tar(work["tar"], clean(work["name"]))
        if "table" in work:
            return _of_table(work["table"], clean(work["name"]), work["group"], work["first"], work["count"])
        return (Found(clean(name), None, reason) for name, reason in work["failed"])

    def _of_tar(self, at: str, name: str) -> Iterator[Found]:
        try:
            tar = opened(at)
        except NotThere as wrong:
            yield Found(name, None, str(wrong))
            return
        try:
            if "members" in self._work:
                for member, offset, size in self._work["members"]:
                    yield _bytes(tar, f"{name}/{clean(member)}", offset, size)
            else:
                yield from self._front_to_back(_ahead(tar), name)
        except (tars.Broken, NotThere) as wrong:
            yield Found(name, None, str(wrong))
        finally:
            tar.close()

    def _front_to_back(self, tar: Readable, name: str) -> Iterator[Found]:
        begin, count = self._work["begin"], 0
        for member in tars.members(tar.read, tar.size, begin):
            if is_picture(member.name):
                if count == MOST_TOGETHER:
                    left = json.dumps({**self._work, "begin": begin})
                    self.rest = Rest(left, guessed(tar.size - begin))
                    return
                yield _bytes(tar, f"{name}/{clean(member.name)}", member.offset, member.size)
                count += 1
            begin = member.end


def guessed(size: int) -> float:
    """How many pictures are in a tar of so many bytes."""
    return max(1.0, size / BYTES_IN_PICTURE)


def is_picture(name: str) -> bool:
    return suffix(name) in PICTURES


def suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _whole(at: str, name: str) -> Found:
    shown = clean(name)
    try:
        file = opened(at)
        try:
            return _bytes(file, shown, 0, file.size)
        finally:
            file.close()
    except NotThere as wrong:
        return Found(shown, None, str(wrong))


def _bytes(file: Readable, shown: str, offset: int, size: int) -> Found:
    if size > MAX_BYTES:
        return Found(shown, None, f"{size:,} bytes are more than {MAX_BYTES:,}")
    data = file.read(offset, size)
    if len(data) < size:
        return Found(shown, None, f"cut off: {len(data):,} of {size:,} bytes")
    return Found(shown, data)


def _ahead(file: Readable) -> Readable:
    """The same file, fetched in large pieces from front to back."""
    held, start = b"", 0

    def read(offset: int, length: int) -> bytes:
        nonlocal held, start
        if not start <= offset <= offset + length <= start + len(held):
            held, start = file.read(offset, max(length, min(AHEAD, file.size - offset))), offset
        return held[offset - start : offset - start + length]

    return Readable(file.size, read, file.close)


def _of_table(at: str, name: str, group: int, first: int, count: int) -> Iterator[Found]:
    try:
        for cell in tables.cells(at, group, first, count):
            shown = f"{name}#{cell.row}"
            if cell.data is not None:
                too_large = len(cell.data) > MAX_BYTES
                reason = f"{len(cell.data):,} bytes are more than {MAX_BYTES:,}" if too_large else ""
                yield Found(shown, None if too_large else cell.data, reason)
            elif cell.path is not None:
                yield _beside(at, cell.path, shown)
            else:
                yield Found(shown, None, "no picture in this row")
    except NotThere as wrong:
        yield Found(name, None, str(wrong))


def _beside(at: str, path: str, shown: str) -> Found:
    """A picture by its path below the table's folder: a table must not make us read anything else."""
    folder = at.rpartition("/")[0] or "."
    try:
        below = _climbs_nowhere(path) and (is_remote(at) or _lies_below(folder, path))
    except (OSError, RuntimeError, ValueError) as wrong:  # a loop of links, a name that no file can have
        return Found(shown, None, f"{clean(path)}: {clean(words(wrong))}")
    if not below:
        return Found(shown, None, f"{clean(path)} does not lie below the table's folder")
    return _whole(f"{folder}/{path}", shown)


def _climbs_nowhere(path: str) -> bool:
    """Also where a web server takes %2e for a point, or one behind it takes %252e for one."""
    while (plain := unquote(path)) != path:
        path = plain
    path = path.replace("\\", "/")
    return not (path.startswith("/") or "://" in path or ".." in PurePosixPath(path).parts)


def _lies_below(folder: str, path: str) -> bool:
    """Wherever links lead."""
    return Path(folder, path).resolve().is_relative_to(Path(folder).resolve())
