"""Uploads that have not ended, as files of this server. Another replica begins such an upload anew.

They need not survive a crash of the machine: their sender asks how far he got, and their digest is checked in
the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from baygrid.store.objects import PIECE, check_key


class FolderUploads:
    """Implements `ports.basics.Uploads` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def size(self, key: str) -> int:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else 0

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        """Nothing is cut off: a stretch that arrives late, after newer ones, lies where it belongs. Raises
        ValueError also for an offset that would leave a gap."""
        descriptor = os.open(self._path(key), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if offset > os.fstat(descriptor).st_size:
                raise ValueError(f"{offset} is beyond the end")
            file.seek(offset)
            for chunk in chunks:
                if file.tell() + len(chunk) > limit:
                    raise ValueError(f"more than {limit} bytes")
                file.write(chunk)
            file.flush()
            return os.fstat(descriptor).st_size

    def read(self, key: str) -> Iterator[bytes]:
        """Raises KeyError when nothing is there."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            raise KeyError(key) from None
        with file:
            while piece := file.read(PIECE):
                yield piece

    def drop(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key).replace("/", "%")
