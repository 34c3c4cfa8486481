"""What is done so far: one Parquet file for each finished shard, so that a run which was interrupted goes on.

A part's name tells of what it was made: this version, the application with its options, the shard's work. A
part made of something else has another name and is not taken for it. What is behind a name is not looked at:
who exchanges a file or a model under the same name while a run is interrupted gets both."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid import __version__
from baygrid.workloads.application import Application, ApplicationError, Done, Failed, Shard
from baygrid.workloads.whole import sync, whole

FOLDER: Final = "unfinished"
"""Below the output; gone when the run is complete."""

_ABOUT: Final = b"baygrid"


def pack(done: Done) -> bytes:
    """What a worker hands to its engine: the part, as it will lie on disk."""
    about = {
        "units": done.units,
        "failed": [asdict(failed) for failed in done.failed],
        "seconds": dict(done.seconds),
        "facts": dict(done.facts),
        "rest": None if done.rest is None else asdict(done.rest),
    }
    table = done.rows.replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def unpack(part: Path) -> Done:
    with pq.ParquetFile(part) as file:  # pq.read_table would load pandas for it
        table = file.read()
    return _done(table.replace_schema_metadata(None), table.schema)


def _done(rows: pa.Table, schema: pa.Schema) -> Done:
    """`rows` with what the part's own `schema` tells of them."""
    about = json.loads((schema.metadata or {})[_ABOUT])
    failed = tuple(Failed(**each) for each in about["failed"])
    rest = None if about["rest"] is None else Shard(**about["rest"])
    return Done(rows, about["units"], failed, about["seconds"], about["facts"], rest)


class Parts:
    """The parts of one run of `application` in the folder `output`."""

    def __init__(self, application: Application, output: Path) -> None:
        self._made_by = f"{__version__} {application.name} {application.loading()!r}"
        self._folder = output / FOLDER
        self._lock = self._folder / "lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """The folder is there, and no other run has it. Raises ApplicationError where one does.

        The lock goes before the folder does, for NFS keeps a file that is open under another name."""
        lock = self._locked()
        try:
            yield
        finally:
            self._lock.unlink(missing_ok=True)
            os.close(lock)
            with suppress(OSError):  # parts are in it still, or the next run has begun
                self._folder.rmdir()

    def _locked(self) -> int:
        """The lock's descriptor."""
        while True:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                lock = os.open(self._lock, os.O_CREAT | os.O_RDWR)
            except OSError as error:
                raise ApplicationError(
                    f"{self._folder.parent} cannot be written: {error.strerror}"
                ) from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                os.close(lock)
                raise ApplicationError(
                    f"another run is writing into {self._folder.parent}; wait for it, or name another folder"
                ) from held
            with suppress(OSError):
                if os.path.samestat(os.fstat(lock), self._lock.stat()):
                    return lock
            os.close(lock)  # the run before took it away between our two steps

    def has(self, shard: Shard) -> bool:
        return self._path(shard).exists()

    def keep(self, shard: Shard, part: bytes) -> None:
        """The part is on disk whole, whatever is killed now."""
        with whole(self._path(shard)) as beside:
            beside.write_bytes(part)
            sync(beside)

    def read(self, shard: Shard) -> Done:
        return unpack(self._path(shard))

    def about(self, shard: Shard) -> Done:
        """As `read`, with no rows."""
        return _done(pa.table({}), pq.read_schema(self._path(shard)))

    def drop(self) -> None:
        """The run is complete: what is left of the folder is its lock."""
        for path in self._folder.iterdir():
            if path != self._lock:
                path.unlink()

    def _path(self, shard: Shard) -> Path:
        digest = hashlib.sha256(f"{self._made_by}\0{shard.work}".encode()).hexdigest()
        return self._folder / f"{shard.id}-{digest[:16]}.parquet"
