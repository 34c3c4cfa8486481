"""What was fetched, by its SHA-256, kept for who asks next: at most so many bytes, nothing that is too old.

    objects/ab/abcdef...   whole and checked; its time is that of its last use
    known/DIGEST           of a URI: which content it had, and by what one can tell that it still has it
    partial/DIGEST(.json)  of a URI: what has come so far, and of which content

Whoever names a URI must be able to fetch it: content is found here by the URI that it came from, never by its
SHA-256 alone, or a project could have by its digest what another may read.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baygrid.core.jobs.addresses import Address
from baygrid.staging.errors import Failed
from baygrid.staging.streams import PIECE


@dataclass(frozen=True, slots=True)
class Known:
    """What a URI had when it was fetched last."""

    sha256: str
    validator: str
    bytes: int


class Cache:
    """Safe for several threads of one process, whose alone the folder is. `now`: seconds since 1970. `epoch`:
    as long as it is the same, what was written is there (the boot: a power cut loses what was not synced)."""

    def __init__(
        self, root: Path, most: int, age_s: float, now: Callable[[], float], *, epoch: str = ""
    ) -> None:
        self._root, self._most, self._age_s, self._now, self._epoch = root, most, age_s, now, epoch
        self._lock = threading.Lock()
        self._used = Counter[str]()
        self._bytes: int | None = None  # of all objects; counted when first asked

    def known(self, at: Address) -> Known | None:
        """What is here of this URI, whole."""
        found = _read(self._root / "known" / _key(at))
        if found is None or not self._object(found["sha256"]).exists():
            return None
        return Known(found["sha256"], found["validator"], found["bytes"])

    @contextmanager
    def used(self, sha256: str) -> Iterator[Path]:
        """The content as a file, which stays for the length of the block. Raises KeyError when it is gone."""
        path = self._object(sha256)
        with self._lock:
            self._used[sha256] += 1
        try:
            try:
                os.utime(path, (self._now(), self._now()))
            except FileNotFoundError:
                raise KeyError(sha256) from None
            yield path
        finally:
            with self._lock:
                self._used[sha256] -= 1

    def partial(self, at: Address) -> Partial:
        """What has come of it so far. One at a time for each URI."""
        path = self._root / "partial" / _key(at)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Partial(path, self._epoch)

    def keep(self, at: Address, partial: Partial) -> Known:
        """Puts a whole one in its place, and notes what its URI had."""
        sha256, size = partial.sha256, partial.size
        target = self._object(sha256)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock:
            had = target.exists()
            partial.put(target)
            os.utime(target, (self._now(), self._now()))
            if self._bytes is not None and not had:
                self._bytes += size
        found = Known(sha256, partial.validator, size)
        note = self._root / "known" / _key(at)
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fields = {"sha256": sha256, "validator": partial.validator, "bytes": size}
        _write(note, fields)
        return found

    def make_room(self, size: int) -> None:
        """For so many bytes: what is too old goes, then what was not used for the longest time. Raises Failed
        where it can never fit."""
        if size > self._most:
            raise Failed(f"{size} bytes are more than this centre's cache holds ({self._most})")
        with self._lock:
            if self._bytes is not None and self._bytes + size <= self._most and not self._due():
                return
            oldest = sorted(self._objects())
            left = sum(bytes for _, bytes, _ in oldest)
            for at, bytes, path in oldest:
                old = at < self._now() - self._age_s
                if (old or left + size > self._most) and not self._used[path.name]:
                    path.unlink(missing_ok=True)
                    left -= bytes
            self._bytes = left
            self._forget()

    def _due(self) -> bool:
        """Whether it is time to look for what is too old: at a hundredth of that age."""
        mark = self._root / "looked"
        try:
            if mark.stat().st_mtime > self._now() - self._age_s / 100:
                return False
        except FileNotFoundError:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
        os.utime(mark, (self._now(), self._now()))
        return True

    def _objects(self) -> Iterator[tuple[float, int, Path]]:
        for path in (self._root / "objects").glob("??/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_mtime, found.st_size, path

    def _forget(self) -> None:
        """Notes and halves that nobody came back for."""
        for path in (*(self._root / "known").glob("*"), *(self._root / "partial").glob("*")):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < self._now() - self._age_s:
                    path.unlink()

    def _object(self, sha256: str) -> Path:
        return self._root / "objects" / sha256[:2] / sha256


class Partial:
    """Bytes of one URI on their way in. `validator`: of which content they are."""

    def __init__(self, path: Path, epoch: str) -> None:
        self._path, self._note, self._epoch = path, path.with_name(f"{path.name}.json"), epoch
        self._digest = hashlib.sha256()
        self.size = 0
        self.validator = ""
        found = _read(self._note)
        if found is None or found.get("epoch") != epoch or not found["validator"]:
            self.clear()
            return
        self.validator = found["validator"]
        with suppress(FileNotFoundError), path.open("rb") as file:
            while piece := file.read(PIECE):
                self._digest.update(piece)
                self.size += len(piece)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._digest, self.size, self.validator = hashlib.sha256(), 0, ""

    def begin(self, validator: str) -> None:
        """What follows is of this content, from its first byte on."""
        self.clear()
        self.validator = validator
        if validator:
            _write(self._note, {"validator": validator, "epoch": self._epoch})

    def write(self, pieces: Iterator[bytes], came: Callable[[int], None]) -> None:
        """Appends; tells the size after each."""
        with self._path.open("ab") as file:
            for piece in pieces:
                file.write(piece)
                self._digest.update(piece)
                self.size += len(piece)
                came(self.size)

    def put(self, target: Path) -> None:
        """It is whole: durable first, so that a name never stands for other bytes than its own."""
        self._path.touch()
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.fchmod(descriptor, 0o444)
        finally:
            os.close(descriptor)
        self._path.replace(target)
        self._note.unlink(missing_ok=True)


def _key(at: Address) -> str:
    """Not the URI: it may hold a signature."""
    return hashlib.sha256(str(at).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, fields: dict[str, Any]) -> None:
    part = path.with_name(f"{path.name}.new")
    part.write_text(json.dumps(fields))
    part.replace(path)
