"""Files of this machine below a root that the operator allows. Links are followed once, when the source is
found; what they lead to must lie below an allowed root as well, and below that no link is followed any more:
whoever may write there must not lead the reader out of it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from baygrid.ports.reader import ReadFailed
from baygrid.sharing.places.place import MAX_FILES, Entry, safe

MAX_DEPTH: Final = 50


def folder(path: str, roots: Sequence[Path]) -> Folder:
    """The place of `file:///PATH`, a file or a folder. Raises ReadFailed."""
    try:
        found = Path(path).resolve(strict=True)
    except (OSError, RuntimeError):
        found = None
    if found is None or not any(found.is_relative_to(root.resolve()) for root in roots):
        # The same words for both: what lies elsewhere on this machine is nobody's business.
        raise ReadFailed(f"there is nothing to read at file://{path}: the operator says below which folders")
    return Folder(found.parent, found.name) if found.is_file() else Folder(found)


class Folder:
    """Implements `Place`. `only`: the one file in it that counts."""

    def __init__(self, root: Path, only: str | None = None) -> None:
        self._root, self._only = root, only

    def entries(self, below: str = "") -> list[Entry]:
        if self._only is not None:
            with self.open(self._only) as file:
                return [_entry(self._only, os.fstat(file.fileno()))]
        try:
            descriptor = self._descend(safe(below) if below else [])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _failed(below, error) from None
        found: list[Entry] = []
        try:
            _walk(descriptor, f"{below}/" if below else "", found)
        except OSError as error:
            raise _failed(below, error) from None
        finally:
            os.close(descriptor)
        return sorted(found, key=lambda entry: entry.path)

    def open(self, path: str) -> io.FileIO:
        parts = safe(path)
        if self._only is not None and path != self._only:
            raise ReadFailed(f"{path[:200]} is not part of it")
        try:
            return io.FileIO(self._descend(parts), "rb")
        except OSError as error:
            raise _failed(path, error) from None

    def _descend(self, parts: Sequence[str]) -> int:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts:
            try:
                inner = _open(part, descriptor)
            finally:
                os.close(descriptor)
            descriptor = inner
        return descriptor


def _open(name: str, within: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)


def _walk(directory: int, above: str, found: list[Entry]) -> None:
    if above.count("/") > MAX_DEPTH:
        raise ReadFailed(f"{above[:200]} lies too deep")
    with os.scandir(directory) as entries:
        kinds = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    for name, kind in kinds:
        if stat.S_ISDIR(kind.st_mode):
            inner = _open(name, directory)
            try:
                _walk(inner, f"{above}{name}/", found)
            finally:
                os.close(inner)
        elif stat.S_ISREG(kind.st_mode):
            found.append(_entry(above + name, kind))
        if len(found) > MAX_FILES:
            raise ReadFailed(f"it has more than {MAX_FILES} files: pack them")


def _entry(path: str, kind: os.stat_result) -> Entry:
    mark = f"{kind.st_mtime_ns}-{kind.st_ino}-{kind.st_size}"
    return Entry(path, kind.st_size, mark, kind.st_mtime_ns // 1_000_000)


def _failed(path: str, error: OSError) -> ReadFailed:
    return ReadFailed(f"{path[:200] or 'its folder'} cannot be read: {error.strerror}")
