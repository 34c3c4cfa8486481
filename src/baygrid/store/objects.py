"""Objects in a folder, and the names that every object store accepts."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from baygrid.ports.basics import ObjectStore

PIECE = 256 * 1024
_KEY = re.compile(
    r"[A-Za-z0-9_+=@:,-][A-Za-z0-9_+=@:,.-]{0,199}(/[A-Za-z0-9_+=@:,-][A-Za-z0-9_+=@:,.-]{0,199}){0,15}"
)
_TEMPORARY = ".incoming"
_FORGOTTEN_S = 24 * 3600


def check_key(key: str) -> str:
    """The key, if it is a plain relative path: no part is empty or begins with a dot. Raises ValueError."""
    if len(key) > 900 or not _KEY.fullmatch(key):
        raise ValueError(f"not a key: {key[:100]!r}")
    return key


class Listed(ObjectStore, Protocol):
    """One that can also say what it has."""

    def keys(self) -> Iterator[str]:
        """All of them, in some order. What is put or deleted meanwhile may be among them or not."""
        ...


def open_objects(url: str) -> Listed:
    """`s3://BUCKET/PREFIX`, `file:///FOLDER` or a plain path. Raises ValueError for another scheme."""
    if url.startswith("s3:"):
        from baygrid.store.s3 import S3Objects  # boto3 is optional

        return S3Objects.open(url)
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        return FolderObjects(Path(unquote(parts.path)))
    if "://" in url:
        raise ValueError(f"no objects at {parts.scheme!r}: s3, file or a path")
    return FolderObjects(Path(url))


class FolderObjects:
    """Implements `ports.basics.ObjectStore`. A put is written beside its place, made durable, then renamed: a
    crash leaves the old object or the new one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _TEMPORARY
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        path = self._root / check_key(key)
        self._make(path.parent)
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(path.parent)
        return size

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """From `offset` on, nothing when that is beyond the end."""
        try:
            file = (self._root / check_key(key)).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(key) from None
        pieces = _pieces(file, offset, length)
        next(pieces)  # now the generator owns the file, and closes it even if nobody reads
        return pieces

    def size(self, key: str) -> int | None:
        path = self._root / check_key(key)
        return path.stat().st_size if path.is_file() else None

    def delete(self, key: str) -> None:
        path = self._root / check_key(key)
        try:
            path.unlink()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return
        _sync(path.parent)

    def keys(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._root):
            at = Path(folder)
            if self._incoming not in (at, *at.parents):
                yield from ((at / name).relative_to(self._root).as_posix() for name in names)

    def _make(self, folder: Path) -> None:
        """The folder, durably: a file in a folder that a crash takes away is gone too."""
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)

    def _sweep(self) -> None:
        """Removes what crashes have left unfinished. The file system's own clock says what is old."""
        with tempfile.NamedTemporaryFile(dir=self._incoming) as probe:
            now = Path(probe.name).stat().st_mtime
            for left in self._incoming.iterdir():
                try:
                    if now - left.stat().st_mtime > _FORGOTTEN_S:
                        left.unlink()
                except FileNotFoundError:
                    pass  # another server was quicker


def _pieces(file: BinaryIO, offset: int, length: int | None) -> Iterator[bytes]:
    """First nothing, then what was asked for."""
    with file:
        yield b""
        file.seek(offset)
        left = length
        while left is None or left > 0:
            piece = file.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                return
            yield piece
            if left is not None:
                left -= len(piece)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
