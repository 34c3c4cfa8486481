"""The files to listen to: one, all below a folder or a prefix, or some that a web server has."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.storage import NotThere, Readable, clean, entries, is_remote, opened

SUFFIXES: Final = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".asf", ".au", ".avi", ".caf", ".flac", ".flv",
    ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".oga", ".ogg",
    ".opus", ".spx", ".ts", ".tta", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wv",
})  # fmt: skip
"""Endings by which files in a folder are taken for sound. A file that is named itself may end in anything."""


AHEAD, AHEAD_FAR = 1 << 16, 1 << 21
"""Bytes that are read at a time of a file here, and of one that is far away."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file: `name` is what people see, relative to the folder; `at` is its path or URL; `size` in bytes."""

    name: str
    at: str
    size: int

    def open(self) -> BinaryIO:
        """Raises OSError, as does reading what comes back."""
        try:
            file = _File(opened(self.at))
        except NotThere as wrong:
            raise OSError(str(wrong)) from wrong
        return cast(BinaryIO, io.BufferedReader(file, AHEAD_FAR if is_remote(self.at) else AHEAD))


def sources(asked: str) -> list[Source]:
    """By name. Raises ApplicationError where there is nothing to listen to."""
    found = [
        Source(clean(entry.name), entry.at, entry.size)
        for entry in entries(asked)
        if entry.at == asked or PurePosixPath(entry.name).suffix.lower() in SUFFIXES
    ]
    if not found:
        raise ApplicationError(f"no sound in {asked} (looked for {' '.join(sorted(SUFFIXES))})")
    return sorted(found, key=lambda source: source.name)


class _File(io.RawIOBase):
    """What can be read in pieces, as a file."""

    def __init__(self, readable: Readable) -> None:
        self._readable = readable
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        beginning = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._readable.size}[whence]
        self._place = max(0, beginning + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._readable.read(self._place, len(buffer))
        except NotThere as wrong:
            raise OSError(str(wrong)) from wrong
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._readable.close()
        super().close()
