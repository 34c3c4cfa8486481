"""What a queued centre itself must not forget of an attempt: one small file each, not in the attempt's
folder, which is the job's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from baygrid.ports import wire
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Order, PartitionReport

_INVENTORY = ".inventory"


@dataclass(frozen=True, slots=True)
class Note:
    """`at`: when it was started here. `id`: the engine's, "" while no submission was answered. `word` and
    `kill_at`: why we end it, and when it is killed. `running_at`: when it was first seen to run, by our
    clock, from which its time counts; `started_at`: when it began, by the engine's; `nodes`: where it runs,
    as they were first called."""

    order: Order
    at: Instant
    id: str = ""
    word: str = ""
    kill_at: Instant = 0
    running_at: Instant | None = None
    started_at: Instant | None = None
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Inventory:
    partitions: tuple[PartitionReport, ...]


class Notes:
    """`directory` is for the agent alone: orders are secret."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, exist_ok=True)

    def write(self, key: str, note: Note) -> None:
        """Whole or not at all. Not synced: what a power cut takes is found again at the engine, by its
        name."""
        self._write(key, wire.encode(note))

    def _write(self, name: str, data: bytes) -> None:
        new = self._directory / f".new-{name}"
        new.write_bytes(data)
        new.replace(self._directory / name)

    def remove(self, key: str) -> None:
        (self._directory / key).unlink(missing_ok=True)

    def read_all(self) -> Iterator[tuple[str, Note]]:
        """All that can be read: what a power cut has emptied is as if it had never been written."""
        for path in sorted(self._directory.iterdir()):
            if not path.name.startswith("."):
                with suppress(ValueError):
                    yield path.name, wire.decode(Note, path.read_bytes())

    def write_inventory(self, partitions: tuple[PartitionReport, ...]) -> None:
        self._write(_INVENTORY, wire.encode(_Inventory(partitions)))

    def read_inventory(self) -> tuple[PartitionReport, ...]:
        """As it was last written."""
        try:
            return wire.decode(_Inventory, (self._directory / _INVENTORY).read_bytes()).partitions
        except (FileNotFoundError, ValueError):
            return ()
