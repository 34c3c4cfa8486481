"""The agent's memory on disk: one line per fsynced batch, guarded by its checksum.

A batch is one line, so it is there whole or not at all, and only the last line can be torn: whatever follows
the last good line was never acted upon and is dropped. A bad line *before* a good one is damage, and then the
agent stops rather than forget what it started.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from baygrid.centres.keys import sync_directory
from baygrid.ports.basics import Failpoint, no_failpoint

Entry = dict[str, Any]
_BATCH = 500


class JournalDamaged(Exception):
    """A line in the middle of the journal cannot be read: restore the state directory, or remove it after
    making sure that no job of this agent still runs."""


class Journal(Protocol):
    """`appended` counts the entries since the last `rewrite`."""

    appended: int

    def read(self) -> list[Entry]: ...

    def append(self, entries: Sequence[Entry]) -> None:
        """One batch; durable when this returns."""
        ...

    def rewrite(self, entries: Sequence[Entry]) -> None:
        """Replaces everything, atomically."""
        ...


class FileJournal:
    """A journal in one file. One process at a time (the loop holds the lock of the state directory).

    An error while writing is final: nobody knows what the disk holds, so this object refuses to go on, and
    the agent is started anew from what can be read.
    """

    def __init__(self, path: Path, failpoint: Failpoint = no_failpoint) -> None:
        self.appended = 0
        self._path = path
        self._failpoint = failpoint
        self._descriptor = -1
        self._broken = False

    def read(self) -> list[Entry]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        entries, good = parse(data)
        if good < len(data):  # torn: cut it off, so that nothing is ever written behind it
            os.truncate(self._path, good)
        return entries

    def append(self, entries: Sequence[Entry]) -> None:
        self._usable()
        if self._descriptor < 0:
            self._open()
        self._failpoint("journal.append.before")
        try:
            _write(self._descriptor, line(entries))
            os.fdatasync(self._descriptor)
        except OSError:
            self._broken = True
            raise
        self._failpoint("journal.append.after")
        self.appended += len(entries)

    def rewrite(self, entries: Sequence[Entry]) -> None:
        self._usable()
        self.close()
        part = self._path.with_name(self._path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for start in range(0, len(entries), _BATCH):
                _write(descriptor, line(entries[start : start + _BATCH]))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._failpoint("journal.rewrite.before")
        part.replace(self._path)
        sync_directory(self._path.parent)
        self.appended = 0

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        new = not self._path.exists()
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if new:
            sync_directory(self._path.parent)

    def _usable(self) -> None:
        if self._broken:
            raise OSError(f"an earlier write to {self._path} failed")


def line(entries: Iterable[Entry]) -> bytes:
    """One batch as it stands in the file."""
    payload = orjson.dumps(list(entries))
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def parse(data: bytes) -> tuple[list[Entry], int]:
    """The entries of all good lines, and how many bytes those are. Raises JournalDamaged."""
    entries: list[Entry] = []
    good, start, torn = 0, 0, False
    while start < len(data):
        end = data.find(b"\n", start)
        batch = None if end < 0 else _batch(data[start:end])
        if batch is None:
            torn = True
        elif torn:
            raise JournalDamaged(f"the journal is damaged near byte {good}")
        else:
            entries += batch
            good = end + 1
        if end < 0:
            break
        start = end + 1
    return entries, good


def _batch(text: bytes) -> list[Entry] | None:
    if len(text) < 11 or text[8:9] != b" ":
        return None
    payload = text[9:]
    if text[:8] != b"%08x" % zlib.crc32(payload):
        return None
    entries: list[Entry] = orjson.loads(payload)
    return entries


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
