"""What the input is cut into. A shard's work is JSON of one of these, which `shard` reads:

{"files": [[at, name], ...]}
{"tar": at, "name": name, "members": [[name, offset, size], ...]}
{"tar": at, "name": name, "begin": offset}    from that header on, so many as are held together, then the rest
{"table": at, "name": name, "group": number, "first": row, "count": rows}
{"failed": [[name, reason], ...]}             what could not even be cut"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from typing import Any, Final

from baygrid.workloads.application import ApplicationError, Shard
from baygrid.workloads.images import tables, tars
from baygrid.workloads.images.shard import MOST_TOGETHER, PICTURES, guessed, is_picture, suffix
from baygrid.workloads.storage.listing import Entry, entries
from baygrid.workloads.storage.names import clean
from baygrid.workloads.storage.readable import NotThere
from baygrid.workloads.storage.reading import is_remote, opened

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


def _cut(asked: str | None, most: int) -> Iterator[tuple[dict[str, Any], float]]:
    files: list[Entry] = []
    for entry in _entries(asked):
        kind = suffix(entry.name)
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
        elif suffix(entry.name) in HOLDING:
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
    return entry.named or is_picture(entry.name)


def _portions(items: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    size = min(most, max(LEAST_IN_SHARD, ceil(len(items) / SHARDS)))
    for first in range(0, len(items), size):
        yield items[first : first + size]


def _tar(entry: Entry, most: int) -> Iterator[tuple[dict[str, Any], float]]:
    """A tar on this machine is listed by its headers; one that is far away is read from front to back."""
    if is_remote(entry.at):
        yield {"tar": entry.at, "name": entry.name, "begin": 0}, guessed(entry.size)
        return
    inside: list[list[str | int]] = []
    broken = ""
    try:
        tar = opened(entry.at)
        try:
            inside.extend(
                [member.name, member.offset, member.size]
                for member in tars.members(tar.read, tar.size)
                if is_picture(member.name)
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
            for first in range(0, max(rows, 1), MOST_TOGETHER):
                count = min(MOST_TOGETHER, rows - first)
                where = {"table": entry.at, "name": entry.name, "group": group}
                yield {**where, "first": first, "count": count}, count
    except NotThere as wrong:
        yield {"failed": [[entry.name, str(wrong)]]}, 0
