"""Uploads that have not ended, as files of this server. Another replica begins such an upload anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PIECE = 1024 * 1024


class FolderUploads:
    """`ports.basics.Uploads` in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def _path(self, key: str) -> Path:
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"not an upload's key: {key!r}")
        return self._folder / key

    def size(self, key: str) -> int:
        path = self._path(key)
        return path.stat().st_size if path.exists() else 0

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        path = self._path(key)
        path.touch()
        with path.open("r+b") as file:
            file.seek(offset)
            for chunk in chunks:
                if file.tell() + len(chunk) > limit:
                    raise ValueError(f"more than {limit} bytes")
                file.write(chunk)
        return path.stat().st_size

    def read(self, key: str) -> Iterator[bytes]:
        with self._path(key).open("rb") as file:
            yield from iter(lambda: file.read(PIECE), b"")

    def drop(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)
