"""Puts what a source names into a job's folder: fetched once into the cache, and from there a copy.

A copy, since a job may change the mode of what is its own, and then the content: a link would let it write
what the next job reads. Where the file system can (btrfs, XFS, NFS 4.2), `copy_file_range` shares the blocks.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, unquote

from baygrid.core.jobs.addresses import Address, address
from baygrid.core.reading import Wrong
from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from baygrid.staging.buckets import Buckets, key_of
from baygrid.staging.cache import Cache
from baygrid.staging.disk import Disk
from baygrid.staging.download import Download
from baygrid.staging.errors import Broken, Failed, Stopped
from baygrid.staging.flights import Flight, Flights
from baygrid.staging.guard import NotAllowed, bucket_of, check_web
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Rules
from baygrid.staging.streams import Way
from baygrid.staging.web import Resolve, Web, look_up

READ_ONLY: Final = 0o444
_CANNOT: Final = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What `copy_file_range` answers where two file systems, or one of them, do not have it."""


class Listener(Protocol):
    """Who wants it: `told(done, total, note)` in bytes of this source; `wanted` is asked often. `came`: a
    file of so many bytes came over a link, not from the cache or a disk that is here."""

    def told(self, done: int, total: int | None, note: str) -> None: ...

    def came(self, what: str, size: int) -> None: ...

    def wanted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of a source. `validator`: of what a listing told."""

    at: Address
    path: str
    bytes: int | None = None
    validator: str = ""


class Stager:
    """Safe for several threads. `clock`: seconds that only grow."""

    def __init__(
        self,
        rules: Rules,
        cache: Cache,
        clock: Callable[[], float],
        pause: Callable[[float], None],
        resolve: Resolve = look_up,
    ) -> None:
        self._rules, self._cache, self._clock, self._pause = rules, cache, clock, pause
        self._web, self._buckets, self._disk = Web(rules, resolve), Buckets(rules), Disk(rules)
        self._flights = Flights()

    def place(self, source: Source, into: Path, listener: Listener) -> None:
        """Fills the new folder `into`. Raises StagingFailed, Stopped, OSError (a full disk)."""
        try:
            at, pace = address(source.uri), Pace(self._rules, self._clock)
            into.mkdir(mode=0o755)
            if at.scheme == "file":
                digest = self._from_disk(at, source, into, listener, pace)
            elif at.is_folder:
                digest = self._from_bucket(at, source, into, listener, pace)
            else:
                whole = _Part(at, _name(at.path))
                self._fetched(whole, source, into, listener, pace, source.sha256)
                return
        except (Broken, Failed, NotAllowed, Wrong) as failure:
            raise StagingFailed(str(failure)) from None
        if source.sha256 is not None and digest != source.sha256:
            raise StagingFailed(f"{at.shown} has the SHA-256 {digest}, not {source.sha256} as was asked for")

    def _from_bucket(self, at: Address, source: Source, into: Path, listener: Listener, pace: Pace) -> str:
        prefix = key_of(at)
        parts = [
            _Part(replace(at, path=f"/{quote(key)}"), _inside(key.removeprefix(prefix)), size, validator)
            for key, size, validator in self._buckets.list(at, source.project)
        ]
        total = sum(part.bytes or 0 for part in parts)
        self._check(total)
        done, lines = 0, []
        for part in parts:
            sha256 = self._fetched(part, source, into, listener, pace, None, done, total)
            lines.append(f"{sha256}  {part.path}\n")
            done += part.bytes or 0
        return listing_digest(lines)

    def _from_disk(self, at: Address, source: Source, into: Path, listener: Listener, pace: Pace) -> str:
        """Straight from there: it is near, and the cache is for what is far."""
        found = self._disk.list(at, source.project)
        parts = (
            [_Part(at, _name(quote(at.path)))]
            if found is None
            else [_Part(replace(at, path=f"{at.path}/{path}"), path, size) for path, size in found]
        )
        total = None if found is None else sum(size for _, size in found)
        done, lines = 0, []
        for part in parts:
            with self._disk.open(part.at, source.project, 0, "", pace) as stream:
                assert stream is not None
                total = stream.total if total is None else total
                if (total or 0) > self._rules.max_bytes:
                    raise Failed(
                        f"it is larger than the {self._rules.max_bytes} bytes that this centre takes"
                    )
                sha256 = hashlib.sha256()
                for size in _written(into / part.path, stream.chunks, sha256.update):
                    _go_on(listener)
                    listener.told(done + size, total, "")
                done += (into / part.path).stat().st_size
            lines.append(f"{sha256.hexdigest()}  {part.path}\n")
        return listing_digest(lines) if found is not None else lines[0].partition(" ")[0]

    def _fetched(
        self,
        part: _Part,
        source: Source,
        into: Path,
        listener: Listener,
        pace: Pace,
        expected: str | None,
        before: int = 0,
        total: int | None = None,
    ) -> str:
        """One file through the cache; its SHA-256. `before` bytes of `total` came with others."""
        way = self._way(part.at, source.project)

        def waiting(other: Flight) -> None:
            _go_on(listener)
            listener.told(before + other.done, total or other.total, "")

        while True:
            with self._flights.turn(str(part.at), waiting) as flight:

                def told(done: int, size: int | None, note: str) -> None:
                    flight.done, flight.total = done, size
                    listener.told(before + done, total or size, note)

                known = self._cache.known(part.at)
                if known is None or not part.validator or known.validator != part.validator:
                    download = Download(
                        self._rules, self._cache, way, pace, self._pause, told, listener.wanted
                    )
                    known = download.fetch(part.at, source.project, expected)
                    if download.came:
                        listener.came(str(part.at), known.bytes)
                told(known.bytes, known.bytes, "")
            target = into / part.path
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            try:
                with self._cache.used(known.sha256) as content:
                    _copy(content, target)
            except KeyError:
                continue  # it was thrown out just now, to make room for another
            return known.sha256

    def _check(self, size: int) -> None:
        if size > self._rules.max_bytes:
            raise Failed(f"it is larger than the {self._rules.max_bytes} bytes that this centre takes")

    def _way(self, at: Address, project: str) -> Way:
        """Raises NotAllowed: what another project fetched is not for everybody."""
        if at.scheme == "s3":
            bucket_of(self._rules, at, project)
            return self._buckets
        check_web(self._rules, at)
        return self._web


def listing_digest(lines: list[str]) -> str:
    """Of a folder: the SHA-256 of what `sha256sum` prints of its files, sorted by their paths."""
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _go_on(listener: Listener) -> None:
    if not listener.wanted():
        raise Stopped


def _name(path: str) -> str:
    """Of a file, from its URI's path."""
    last = unquote(path.rstrip("/").rpartition("/")[2])
    fits = 0 < len(last.encode()) <= 255 and "/" not in last and "\0" not in last
    return last if fits and last not in (".", "..") else "content"


def _inside(path: str) -> str:
    """A key below a folder as a path. Raises Failed for one that is none."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts) or "\0" in path:
        raise Failed(f"the key {path[:200]!r} cannot be the name of a file")
    return path


def _written(target: Path, pieces: Iterator[bytes], heard: Callable[[bytes], object]) -> Iterator[int]:
    """Writes a new read-only file; yields how much it has."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    size = 0
    with target.open("xb") as file:
        os.fchmod(file.fileno(), READ_ONLY)
        for piece in pieces:
            file.write(piece)
            heard(piece)
            size += len(piece)
            yield size


def _copy(content: Path, target: Path) -> None:
    with content.open("rb", buffering=0) as source, target.open("xb", buffering=0) as file:
        os.fchmod(file.fileno(), READ_ONLY)
        left = os.fstat(source.fileno()).st_size
        while left > 0:
            try:
                moved = os.copy_file_range(source.fileno(), file.fileno(), min(left, 1 << 30))
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
                moved = os.write(file.fileno(), os.pread(source.fileno(), 1 << 20, file.tell()))
            left -= moved
