"""Files that are there whole or not at all: written beside their place, then moved there in one step."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: Path, *, alone: bool = True) -> Iterator[Path]:
    """Where to write: what lies there becomes `path` when the block ends well, and is gone when it does not.

    `alone`: no other process writes this file now, so that what a process that was killed left is written
    over. Else the last of several that began together wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = "" if alone else f".{secrets.token_hex(8)}"
    part = path.with_name(f"{path.name}{own}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """UTF-8."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def sync_all(paths: Iterable[Path]) -> None:
    """These files, and all below these folders, are on the disk under their names, whatever loses power now:
    what they were made of may go."""
    folders: set[Path] = set()
    for path in paths:
        for folder, _, names in os.walk(path) if path.is_dir() else [(path.parent, (), (path.name,))]:
            folders |= {Path(folder), Path(folder).parent}
            for name in names:
                sync(Path(folder, name))
    for each in folders:
        with suppress(OSError):  # not every file system has this for folders, nor may we open each
            sync(each)


def sync(path: Path) -> None:
    """What was written to it is on the disk (fsync(2))."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
