"""Files of any size on this machine, in object storage, or behind a web server, read in pieces."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from baygrid.workloads.application import ApplicationError

WEB: Final = ("http://", "https://")
S3: Final = "s3://"

PATIENCE: Final = 30.0  # seconds without a byte from a web server

BRACES: Final = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_IN_BRACES: Final = 1_000_000

AHEAD, AHEAD_FAR = 1 << 16, 1 << 21
"""Bytes that `file` reads at a time of a file here, and of one that is far away."""


class NotThere(Exception):
    """A file that cannot be read, and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: where it is (a path or URL), its name below what was asked for, its size in bytes, and whether
    it was itself asked for."""

    at: str
    name: str
    size: int
    named: bool = False


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that is open: `read(offset, length)` gives that piece, shorter at the file's end."""

    size: int
    read: Callable[[int, int], bytes]
    close: Callable[[], None]


def is_remote(at: str) -> bool:
    return at.startswith((*WEB, S3))


def clean(name: str) -> str:
    """A name as a terminal may show it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def words(error: Exception) -> str:
    """What it says, in one line; its kind where it has no words."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def entries(asked: str) -> Iterator[Entry]:
    """The file, or all files below the folder or prefix, by name. Links to folders are not followed.

    `{00..12}` in a URL or path stands for each of the numbers. Names are those of files below a folder,
    whatever a server says, and no two of them alike. ApplicationError where nothing is there."""
    taken: set[str] = set()
    for entry in _found(asked):
        name = _below(entry.name)
        if is_remote(entry.at):
            name = _another(name, taken)
            taken.add(name)
        yield entry if name == entry.name else replace(entry, name=name)


def _below(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".", "..")) or "file"


def _another(name: str, taken: Container[str]) -> str:
    """`talk.mp3`, then `talk (2).mp3`."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    numbered = (f"{stem} ({number}){dot}{ending}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _found(asked: str) -> Iterator[Entry]:
    if found := BRACES.search(asked):
        first, last = found.groups()
        if int(last) - int(first) >= MOST_IN_BRACES:
            raise ApplicationError(f"{asked} stands for more than {MOST_IN_BRACES:,} files")
        for number in range(int(first), int(last) + 1):
            numbered = str(number).zfill(len(first))
            yield from _found(f"{asked[: found.start()]}{numbered}{asked[found.end() :]}")
    elif asked.startswith(WEB):
        try:
            file = opened(asked)
        except NotThere as wrong:
            raise ApplicationError(f"{asked}: {wrong}") from wrong
        file.close()
        yield Entry(asked, asked.partition("?")[0].rpartition("/")[2], file.size, named=True)
    elif asked.startswith(S3):
        yield from _in_bucket(asked)
    else:
        yield from _on_disk(Path(asked.removeprefix("file://")))


def opened(at: str) -> Readable:
    """Raises NotThere (and so may its `read`)."""
    try:
        if at.startswith(WEB):
            return _web(at)
        if at.startswith(S3):
            file = _bucket().open_input_file(at.removeprefix(S3))
            return Readable(file.size(), lambda offset, length: _piece(file, offset, length), file.close)
        return _disk(at)
    except OSError as error:
        raise NotThere(error.strerror or words(error)) from error


def file(at: str) -> io.BufferedReader:
    """The same for those who want to seek in it. Raises OSError, as does reading what comes back."""
    try:
        raw = _File(opened(at))
    except NotThere as wrong:
        raise OSError(str(wrong)) from wrong
    return io.BufferedReader(raw, AHEAD_FAR if is_remote(at) else AHEAD)


def _disk(at: str) -> Readable:
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


def _on_disk(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        found = []
        for folder, _, names in os.walk(path):
            found += [os.path.join(folder, name) for name in names]  # noqa: PTH118 - a million of them
        beginning = len(os.path.join(path, ""))  # noqa: PTH118
        for each in sorted(found):
            yield Entry(each, each[beginning:], _size(each))
    elif path.exists():
        yield Entry(str(path), path.name, _size(str(path)), named=True)
    else:
        raise ApplicationError(f"{path} is not there")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # a link that leads nowhere, or round in a circle: whoever opens it will say so
        return 0


@lru_cache(1)
def _bucket() -> Any:
    """S3 as the environment says: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL."""
    from pyarrow import fs

    where = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        endpoint_override=where, region=region, connect_timeout=PATIENCE, request_timeout=PATIENCE
    )


def _in_bucket(asked: str) -> Iterator[Entry]:
    from pyarrow import fs

    path = asked.removeprefix(S3).rstrip("/")
    try:
        about = _bucket().get_file_info(path)
        if about.type == fs.FileType.File:
            yield Entry(asked, about.base_name, about.size, named=True)
            return
        found = _bucket().get_file_info(fs.FileSelector(path, recursive=True))
    except OSError as error:
        raise ApplicationError(f"{asked}: {words(error)}") from error
    files = [each for each in found if each.type == fs.FileType.File]
    for each in sorted(files, key=lambda each: str(each.path)):
        yield Entry(S3 + each.path, each.path[len(path) + 1 :], each.size)


def _piece(file: Any, offset: int, length: int) -> bytes:
    try:
        data: bytes = file.read_at(max(0, min(length, file.size() - offset)), offset)
        return data
    except OSError as error:
        raise NotThere(words(error)) from error


def _web(at: str) -> Readable:
    """Pieces by Range requests (RFC 9110, section 14); of a server that knows none, the first bytes only."""
    import httpx2

    client = httpx2.Client(follow_redirects=True, timeout=PATIENCE)

    def read(offset: int, length: int) -> bytes:
        if length <= 0 or (size is not None and offset >= size):
            return b""
        asked = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        try:
            with client.stream("GET", at, headers=asked) as answer:
                if answer.status_code == 416:
                    return b""
                answer.raise_for_status()
                if answer.status_code != 206 and offset:
                    raise NotThere("the server sends only whole files: it ignores Range")
                return _first(answer.iter_bytes(), length)
        except httpx2.HTTPError as error:
            raise NotThere(words(error)) from error

    size: int | None = None
    try:
        told = client.head(at, headers={"Accept-Encoding": "identity"})
        told.raise_for_status()
        size = int(told.headers["Content-Length"])
    except httpx2.HTTPError as error:
        client.close()
        raise NotThere(words(error)) from error
    except (KeyError, ValueError):
        client.close()
        raise NotThere("the server does not say how large it is") from None
    return Readable(size, read, client.close)


def _first(pieces: Iterator[bytes], length: int) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= length:
            break
    return bytes(found[:length])


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
