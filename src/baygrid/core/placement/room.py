"""What is free while a plan is being made: a light overlay on the image, which itself does not change."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TypeAlias

from baygrid.core.placement.image import Pool, Room

Tightness: TypeAlias = tuple[int, int, int, int, str]


class Floor:
    """One partition while planning: rooms are copied when first taken from. `journal` names each node taken
    from, in order, so that every `Finder` can catch up with what others took."""

    __slots__ = ("_changed", "_rooms", "journal")

    def __init__(self, pool: Pool) -> None:
        self._rooms = pool.rooms
        self._changed: dict[str, Room] = {}
        self.journal: list[str] = []

    def names(self) -> list[str]:
        return list(self._rooms)

    def room(self, name: str) -> Room:
        return self._changed.get(name) or self._rooms[name]

    def take(self, name: str, cpus: int, memory_mib: int, accelerator: str | None, accelerators: int) -> None:
        room = self._changed.get(name)
        if room is None:
            room = self._changed[name] = self._rooms[name].copy()
        room.take(cpus, memory_mib, accelerator, accelerators)
        self.journal.append(name)


class Finder:
    """The tightest nodes of one partition for one shape: what would be left of the accelerator asked for,
    then of all accelerators, then cpus, then memory, decides; then the name. So plain jobs keep off idle
    accelerators."""

    __slots__ = ("_accelerator", "_accelerators", "_cpus", "_floor", "_heap", "_memory_mib", "_seen")

    def __init__(
        self, floor: Floor, cpus: int, memory_mib: int, accelerator: str | None, accelerators: int
    ) -> None:
        self._floor = floor
        self._cpus = cpus
        self._memory_mib = memory_mib
        self._accelerator = accelerator
        self._accelerators = accelerators
        self._heap = [key for name in floor.names() if (key := self._tightness(name))]
        heapify(self._heap)
        self._seen = len(floor.journal)

    def _tightness(self, name: str) -> Tightness | None:
        """What would be left, or None where one node of the shape has no room."""
        room = self._floor.room(name)
        cpus = room.cpus - self._cpus
        memory = room.memory_mib - self._memory_mib
        left = 0
        if self._accelerator is not None:
            left = room.accelerators.get(self._accelerator, 0) - self._accelerators
        if cpus < 0 or memory < 0 or left < 0:
            return None
        return left, sum(room.accelerators.values()), cpus, memory, name

    def _catch_up(self) -> None:
        journal = self._floor.journal
        for name in journal[self._seen :]:
            key = self._tightness(name)
            if key is not None:
                heappush(self._heap, key)
        self._seen = len(journal)

    def find(self, count: int) -> tuple[str, ...]:
        """The tightest nodes with room now, at most `count`, each at most once. Takes nothing."""
        self._catch_up()
        found: dict[str, Tightness] = {}
        while self._heap and len(found) < count:
            key = heappop(self._heap)
            # A key from before its node was taken from is thrown away: a newer one is in the heap.
            if self._tightness(key[4]) == key:
                found[key[4]] = key
        for key in found.values():
            heappush(self._heap, key)
        return tuple(found)

    def take(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._floor.take(name, self._cpus, self._memory_mib, self._accelerator, self._accelerators)
