"""What the input is cut into, and the reading of each cut. A shard's work is JSON of one of these:

{"files": [[at, name], ...]}
{"tar": at, "name": name, "members": [[name, offset, size], ...]}    members: null for all of them
{"table": at, "name": name, "group": number}
{"failed": [[name, reason], ...]}                                    what could not even be cut"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import cycle, islice
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

from baygrid.workloads.application import ApplicationError, Shard
from baygrid.workloads.images import tables, tars
from baygrid.workloads.images.pictures import MAX_BYTES
from baygrid.workloads.storage.listing import Entry, entries
from baygrid.workloads.storage.names import clean, words
from baygrid.workloads.storage.readable import NotThere, Readable
from baygrid.workloads.storage.reading import is_remote, opened

PICTURES: Final = frozenset(
    {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)

TAR, TABLE = HOLDING = (".tar", ".parquet")

PHOTOGRAPHS: Final = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "motorcycle_right.png",
    "page.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
"""The photographs inside scikit-image's wheel; its drawings, test charts, slides and blurs are left out."""

LEAST_IN_SHARD: Final = 4
SHARDS: Final = 32
"""About so many of a short run, so that every worker has some and progress is seen."""

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


def photographs() -> list[Entry]:
    """The photographs that come with scikit-image."""
    folder = Path(str(resources.files("skimage"))) / "data"
    return [Entry(str(folder / name), f"scikit-image/{name}", 0) for name in PHOTOGRAPHS]


def shards(asked: str | None, count: int | None, most: int) -> Iterator[Shard]:
    """The input (None: the photographs of scikit-image) in parts of at most `most` pictures. With a `count`
    the pictures go in turn until there are so many. Raises ApplicationError where there are none, and for a
    `count` of what is inside tars and tables."""
    cut = _cut_to(asked, count, most) if count else _cut(asked, most)
    number = -1
    for number, (work, units) in enumerate(cut):
        yield Shard(f"{number:08}", json.dumps(work, ensure_ascii=True), units)
    if number < 0:
        raise ApplicationError(
            f"no picture in {asked} (looked for {' '.join(sorted(PICTURES))} .tar .parquet)"
        )


def read(work: str) -> Iterator[Found]:
    """The pictures of a shard, one after another; what cannot be read comes with its reason."""
    document = json.loads(work)
    if "files" in document:
        for at, name in document["files"]:
            yield _whole(at, name)
    elif "tar" in document:
        yield from _of_tar(document["tar"], document["name"], document["members"])
    elif "table" in document:
        yield from _of_table(document["table"], document["name"], document["group"])
    else:
        for name, reason in document["failed"]:
            yield Found(clean(name), None, reason)


def _cut(asked: str | None, most: int) -> Iterator[tuple[dict[str, Any], float]]:
    files: list[Entry] = []
    for entry in _entries(asked):
        kind = _suffix(entry.name)
        if entry.unreadable:
            yield {"failed": [[entry.name, entry.unreadable]]}, 0
        elif kind == TAR:
            yield from _tar(entry, most)
        elif kind == TABLE:
            yield from _table(entry)
        elif _is_picture(entry):
            files.append(entry)
    for some in _portions(files, most):
        yield {"files": [[entry.at, entry.name] for entry in some]}, len(some)


def _cut_to(asked: str | None, count: int, most: int) -> Iterator[tuple[dict[str, Any], float]]:
    files = []
    for entry in _entries(asked):
        if entry.unreadable:
            yield {"failed": [[entry.name, entry.unreadable]]}, 0
        elif _suffix(entry.name) in HOLDING:
            raise ApplicationError(
                f"{clean(entry.name)} holds pictures, and only files can go in turn: leave out --count"
            )
        elif _is_picture(entry):
            files.append(entry)
    if files:
        for some in _portions(list(islice(cycle(files), count)), most):
            yield {"files": [[entry.at, entry.name] for entry in some]}, len(some)


def _entries(asked: str | None) -> Iterator[Entry]:
    return iter(photographs()) if asked is None else entries(asked)


def _is_picture(entry: Entry) -> bool:
    """By its suffix; a file that was itself asked for is taken at its word."""
    return entry.named or _suffix(entry.name) in PICTURES


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _portions(items: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    size = min(most, max(LEAST_IN_SHARD, ceil(len(items) / SHARDS)))
    for first in range(0, len(items), size):
        yield items[first : first + size]


def _tar(entry: Entry, most: int) -> Iterator[tuple[dict[str, Any], float]]:
    """A tar on this machine is listed by its headers; one that is far away is read in one go by a worker."""
    if is_remote(entry.at):
        guess = max(1.0, entry.size / BYTES_IN_PICTURE)
        yield {"tar": entry.at, "name": entry.name, "members": None}, guess
        return
    inside: list[list[str | int]] = []
    broken = ""
    try:
        tar = opened(entry.at)
        try:
            inside.extend(
                [member.name, member.offset, member.size]
                for member in tars.members(tar.read, tar.size)
                if _suffix(member.name) in PICTURES
            )
        finally:
            tar.close()
    except (tars.Broken, NotThere) as wrong:
        broken = str(wrong)
    for some in _portions(inside, most):
        yield {"tar": entry.at, "name": entry.name, "members": some}, len(some)
    if broken:
        yield {"failed": [[entry.name, broken]]}, 0


def _table(entry: Entry) -> Iterator[tuple[dict[str, Any], float]]:
    try:
        for group, rows in enumerate(tables.groups(entry.at)):
            yield {"table": entry.at, "name": entry.name, "group": group}, rows
    except NotThere as wrong:
        yield {"failed": [[entry.name, str(wrong)]]}, 0


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


def _of_tar(at: str, name: str, inside: list[tuple[str, int, int]] | None) -> Iterator[Found]:
    try:
        tar = opened(at)
    except NotThere as wrong:
        yield Found(clean(name), None, str(wrong))
        return
    try:
        if inside is not None:
            for member, offset, size in inside:
                yield _bytes(tar, f"{clean(name)}/{clean(member)}", offset, size)
            return
        ahead = _ahead(tar)
        for found in tars.members(ahead.read, ahead.size):
            if _suffix(found.name) in PICTURES:
                yield _bytes(ahead, f"{clean(name)}/{clean(found.name)}", found.offset, found.size)
    except (tars.Broken, NotThere) as wrong:
        yield Found(clean(name), None, str(wrong))
    finally:
        tar.close()


def _ahead(file: Readable) -> Readable:
    """The same file, fetched in large pieces from front to back."""
    held, start = b"", 0

    def read(offset: int, length: int) -> bytes:
        nonlocal held, start
        if not start <= offset <= offset + length <= start + len(held):
            held, start = file.read(offset, max(length, min(AHEAD, file.size - offset))), offset
        return held[offset - start : offset - start + length]

    return Readable(file.size, read, file.close)


def _of_table(at: str, name: str, group: int) -> Iterator[Found]:
    try:
        for cell in tables.cells(at, group):
            shown = f"{clean(name)}#{cell.row}"
            if cell.data is not None:
                too_large = len(cell.data) > MAX_BYTES
                reason = f"{len(cell.data):,} bytes are more than {MAX_BYTES:,}" if too_large else ""
                yield Found(shown, None if too_large else cell.data, reason)
            elif cell.path is not None:
                yield _beside(at, cell.path, shown)
            else:
                yield Found(shown, None, "no picture in this row")
    except NotThere as wrong:
        yield Found(clean(name), None, str(wrong))


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
