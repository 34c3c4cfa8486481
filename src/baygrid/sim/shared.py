"""What the servers share and the simulation keeps in memory: store, objects, uploads, identifiers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from baygrid.ports.basics import Instant
from baygrid.ports.store import Store, Tx
from baygrid.sim.faults import Failpoints

T = TypeVar("T")


class SimIds:
    """Counted, so that a seed replays; secrets cannot be guessed by the code under test either."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def new(self, kind: str, now: Instant) -> str:
        self._count += 1
        return f"{kind}-{self._count:06d}"

    def earliest(self, kind: str, at: Instant) -> str:
        return f"{kind}-"  # the count says nothing of time

    def secret(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._seed}:{self._count}".encode()).hexdigest()[:32]


class MemoryObjects:
    """`ports.basics.ObjectStore`; a put is atomic."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        self._objects[key] = data = b"".join(chunks)
        return len(data)

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        data = self._objects[key]
        yield data[offset : None if length is None else offset + length]

    def size(self, key: str) -> int | None:
        data = self._objects.get(key)
        return None if data is None else len(data)

    def delete(self, key: str) -> None:
        self._objects.pop(key, None)


class MemoryUploads:
    """`ports.basics.Uploads`."""

    def __init__(self) -> None:
        self._parts: dict[str, bytes] = {}

    def size(self, key: str) -> int:
        return len(self._parts.get(key, b""))

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        data = self._parts.get(key, b"")[:offset] + b"".join(chunks)
        if len(data) > limit:
            raise ValueError("too long")
        self._parts[key] = data
        return len(data)

    def read(self, key: str) -> Iterator[bytes]:
        yield self._parts.get(key, b"")

    def drop(self, key: str) -> None:
        self._parts.pop(key, None)


class OneServersStore:
    """The shared store as one server calls it: before each transaction that server may wait, stall or die.
    `stepping`: whether its scheduler is what calls: between its plan and its commit is the place to wait."""

    def __init__(self, store: Store, failpoints: Failpoints, stepping: Callable[[], bool]) -> None:
        self._store = store
        self._failpoints = failpoints
        self._stepping = stepping

    def write(self, work: Callable[[Tx], T]) -> T:
        self._failpoints.pause(10 if self._stepping() else 1)
        return self._store.write(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        # A new leader that dies while it loads leaves the region to one that knows of no other.
        self._failpoints.server("store.read", 6 if self._stepping() else 1)
        self._failpoints.pause(1)
        return self._store.read(work)

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> None:
        self._store.subscribe(listener)

    def close(self) -> None:
        """The store outlives its servers."""
