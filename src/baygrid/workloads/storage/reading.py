"""A file anywhere, read in pieces or as a file to seek in."""

from __future__ import annotations

import io
import os
import stat
from typing import Final

from baygrid.workloads.storage import buckets, web
from baygrid.workloads.storage.buckets import S3
from baygrid.workloads.storage.names import words
from baygrid.workloads.storage.readable import NotThere, Readable
from baygrid.workloads.storage.web import WEB

AHEAD, AHEAD_FAR = 1 << 16, 1 << 21
"""Bytes that `file` reads at a time of a file here, and of one that is far away."""

REMOTE: Final = (*WEB, S3)


def is_remote(at: str) -> bool:
    return at.startswith(REMOTE)


def opened(at: str) -> Readable:
    """Raises NotThere (and so may its `read`)."""
    try:
        if at.startswith(WEB):
            return web.opened(at)
        return buckets.opened(at) if at.startswith(S3) else disk(at)
    except OSError as error:
        raise NotThere(error.strerror or words(error)) from error
    except ValueError as error:  # no name that a file can have
        raise NotThere(words(error)) from error


def file(at: str) -> io.BufferedReader:
    """The same for those who want to seek in it. Raises OSError, as does reading what comes back."""
    try:
        raw = _File(opened(at))
    except NotThere as wrong:
        raise OSError(str(wrong)) from wrong
    return io.BufferedReader(raw, AHEAD_FAR if is_remote(at) else AHEAD)


def disk(at: str) -> Readable:
    """A file of this machine. Raises OSError or ValueError, NotThere; its `read` NotThere."""
    descriptor = os.open(at, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold us
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise NotThere("not a plain file")

    def read(offset: int, length: int) -> bytes:
        try:
            return os.pread(descriptor, length, offset)
        except OSError as error:
            raise NotThere(error.strerror or words(error)) from error

    return Readable(about.st_size, read, lambda: os.close(descriptor))


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
