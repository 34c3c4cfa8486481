"""What is inside a job's outputs: the files of a tar, listed and read one at a time, without unpacking it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baygrid.app import blobs
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, TooLarge, WrongState

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
    Raises NotFound, TooLarge."""
    _, chunks = blobs.output(platform, actor, job, name)
    stream = _Stream(chunks)
    with _tar(stream) as tar:
        for member in tar:
            if member.isreg() and _plain(member.name) == path:
                if member.size > MOST_BYTES:
                    raise TooLarge(f"{path!r} has more than {MOST_BYTES} bytes: download the whole output")
                taken = tar.extractfile(member)
                return b"" if taken is None else taken.read()
    raise NotFound(f"output {name!r} has no file {path!r}")


def _members(chunks: Iterator[bytes]) -> Iterator[tarfile.TarInfo]:
    with _tar(_Stream(chunks)) as tar:
        yield from (member for member in tar if member.isreg())


def _tar(stream: _Stream) -> tarfile.TarFile:
    """Read as it comes; never as a compressed one, a few bytes of which could become any number."""
    try:
        return tarfile.open(fileobj=stream, mode="r|")
    except tarfile.TarError:
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
