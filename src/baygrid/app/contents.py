"""What is inside a job's outputs: the files of a tar, listed and read one at a time, without unpacking it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from baygrid.app import blobs
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, TooLarge, WrongState
from baygrid.ports.archives import Member
from baygrid.ports.reader import Head, ReadFailed

MOST_LISTED: Final = 2_000
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of one file that is shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a tar: its path there, and its bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """`more`: there are more files than are listed here."""

    name: str
    size: int
    entries: tuple[Entry, ...]
    more: bool


def contents(platform: Platform, actor: Actor, job: str, name: str) -> Contents:
    """The files of an output, by path. Raises NotFound, WrongState for what is no tar."""
    size, chunks = blobs.output(platform, actor, job, name)
    entries: list[Entry] = []
    for member in _members(chunks):
        if len(entries) == MOST_LISTED:
            return Contents(name, size, tuple(sorted(entries, key=_path)), more=True)
        entries.append(Entry(_plain(member.name), member.size))
    return Contents(name, size, tuple(sorted(entries, key=_path)), more=False)


def file(platform: Platform, actor: Actor, job: str, name: str, path: str) -> bytes:
    """One file of an output, by exactly the path that `contents` tells: nothing on this machine is looked at.
    Raises NotFound, TooLarge, WrongState."""
    _, chunks = blobs.output(platform, actor, job, name)
    with _tar(chunks) as tar:
        for member in tar:
            if member.isreg() and _plain(member.name) == path:
                if member.size > MOST_BYTES:
                    raise TooLarge(f"{path!r} has more than {MOST_BYTES} bytes: download the whole output")
                taken = tar.extractfile(member)
                return b"" if taken is None else taken.read()
    raise NotFound(f"output {name!r} has no file {path!r}")


def rows(platform: Platform, data: bytes, also: Sequence[str]) -> Head | None:
    """How a Parquet file begins; `also`: columns of which more is told. None for what is none, or where
    nothing reads it."""
    try:
        return platform.reader.head(data, also) if platform.reader is not None else None
    except ReadFailed:
        return None


def _members(chunks: Iterator[bytes]) -> Iterator[tarfile.TarInfo]:
    with _tar(chunks) as tar:
        yield from (member for member in tar if member.isreg())


@contextmanager
def _tar(chunks: Iterator[bytes]) -> Iterator[tarfile.TarFile]:
    """Read as it comes; never as a compressed one, a few bytes of which could become any number. Raises
    WrongState, also for one that turns out to be damaged on the way."""
    try:
        with tarfile.open(
            fileobj=_Stream(chunks), mode="r|", tarinfo=Member, encoding="utf-8", errors="replace"
        ) as tar:
            yield tar
    except (tarfile.TarError, ValueError, RecursionError):
        raise WrongState("this output cannot be looked into: download it") from None


def _plain(path: str) -> str:
    return path.removeprefix("./")


def _path(entry: Entry) -> str:
    return entry.path


class _Stream(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, wanted = [], size
        while size < 0 or wanted > 0:
            if not self._left:
                self._left = next(self._chunks, b"")
                if not self._left:
                    break
            part = self._left if size < 0 else self._left[:wanted]
            self._left = self._left[len(part) :]
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)
