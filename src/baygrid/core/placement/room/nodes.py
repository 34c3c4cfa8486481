"""Every node of the region as a row of arrays, partition after partition: totals, what is free, and when what
runs there gives it back. A plan asks about thousands of nodes at once.

A partition of a centre with its own scheduler is one row (a *lump*): only its sums are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from baygrid.core.placement.demand import Expected
from baygrid.core.placement.room.parts import WHOLE, Part, Parts

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Where: TypeAlias = tuple[str, str]

FOREVER: Final = 1 << 62
"""A time that does not come (ms)."""


class Totals(Protocol):
    """What a node has."""

    @property
    def name(self) -> str: ...
    @property
    def cpus(self) -> int: ...
    @property
    def memory_mib(self) -> int: ...
    @property
    def accelerators(self) -> Mapping[str, int]: ...


class Occupant(Protocol):
    """What a live attempt has on each of `count` nodes. `accelerator_share`: thousandths of its one device
    there, `accelerator_slots`: which shared one, node by node."""

    @property
    def attempt(self) -> str: ...
    @property
    def centre(self) -> str: ...
    @property
    def partition(self) -> str: ...
    @property
    def nodes(self) -> tuple[str, ...]: ...
    @property
    def cpus(self) -> int: ...
    @property
    def memory_mib(self) -> int: ...
    @property
    def accelerator(self) -> str | None: ...
    @property
    def accelerators(self) -> int: ...
    @property
    def accelerator_share(self) -> int: ...
    @property
    def accelerator_slots(self) -> tuple[int, ...]: ...
    @property
    def count(self) -> int: ...
    @property
    def ends_by(self) -> int | None: ...
    @property
    def placed_at(self) -> int: ...
    @property
    def started_at(self) -> int | None: ...
    @property
    def stopping(self) -> bool: ...
    @property
    def expected(self) -> Expected | None: ...


@dataclass(frozen=True, slots=True)
class Need:
    """What a job takes from one node: `model` is a row of the accelerator arrays, -1 for none. `share`:
    thousandths of its one accelerator, which it may share."""

    cpus: int
    memory_mib: int
    model: int = -1
    accelerators: int = 0
    share: int = WHOLE

    @property
    def shared(self) -> bool:
        return self.model >= 0 and self.share < WHOLE

    @property
    def whole(self) -> int:
        """Devices that are free again when this job alone is gone; of a shared one, `Parts` knows."""
        return 0 if self.share < WHOLE else self.accelerators

    def times(self, count: int) -> Need:
        """Of a partition known by its sums, where no device is shared."""
        return Need(self.cpus * count, self.memory_mib * count, self.model, self.accelerators * count)


class NodeTable:
    """`starts[p] : starts[p + 1]` are the rows of pool `p`, in the order of their names. Arrays by row: cpus,
    memory (MiB); accelerators by model and row: whole ones, `parts` has those that are shared. Free amounts
    go below zero where a centre now declares less than what runs there."""

    def __init__(self, partitions: Mapping[Where, Iterable[Totals]], lumped: frozenset[str]) -> None:
        self.lumped = lumped
        self.where: list[Where] = sorted(partitions)
        self.number = {where: number for number, where in enumerate(self.where)}
        self.models: dict[str, int] = {}
        self.lump = np.array([centre in lumped for centre, _ in self.where], dtype=np.bool_)
        self._rows: list[dict[str, int]] = []
        sizes: list[int] = []
        nodes: list[list[Totals]] = []
        for where in self.where:
            has = sorted(partitions[where], key=lambda node: node.name)
            rows = [has] if where[0] in lumped else [[node] for node in has]
            first = len(nodes)
            nodes += rows
            self._rows.append({node.name: first + n for n, row in enumerate(rows) for node in row})
            sizes.append(len(rows))
            for node in has:
                for model in node.accelerators:
                    self.models.setdefault(model, len(self.models))
        self.names = [row[0].name if len(row) == 1 else "" for row in nodes]
        self.starts: Ints = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64)
        self.pool_of: Ints = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        self.total_cpus: Ints = np.array([sum(n.cpus for n in row) for row in nodes], dtype=np.int64)
        self.total_memory: Ints = np.array([sum(n.memory_mib for n in row) for row in nodes], dtype=np.int64)
        self.total_accelerators: Ints = np.zeros((len(self.models), len(nodes)), dtype=np.int64)
        for number, row in enumerate(nodes):
            for node in row:
                for model, count in node.accelerators.items():
                    self.total_accelerators[self.models[model], number] += count
        self.cpus = self.total_cpus.copy()
        self.memory = self.total_memory.copy()
        self.accelerators = self.total_accelerators.copy()
        self.parts = Parts(*self.accelerators.shape)
        self.releases = Releases()

    def rows_of(self, pool: int) -> slice:
        return slice(int(self.starts[pool]), int(self.starts[pool + 1]))

    def rows(self, it: Occupant) -> tuple[list[int], int]:
        """The rows that it occupies, and how many nodes' worth it has on each."""
        pool = self.number.get((it.centre, it.partition))
        if pool is None:
            return [], 0
        if self.lump[pool]:
            return [int(self.starts[pool])] if self.starts[pool] < self.starts[pool + 1] else [], it.count
        rows = self._rows[pool]
        return [rows[name] for name in it.nodes if name in rows], 1

    def named(self, centre: str, partition: str, names: Iterable[str]) -> list[int]:
        """The rows of these nodes, those that are there; none where a partition is known by its sums."""
        pool = self.number.get((centre, partition))
        if pool is None or self.lump[pool]:
            return []
        return [self._rows[pool][name] for name in names if name in self._rows[pool]]

    def need(
        self, cpus: int, memory_mib: int, model: str | None, accelerators: int, share: int = WHOLE
    ) -> Need:
        """A model that no node has is none: then no offer fits, and nobody asks."""
        return Need(cpus, memory_mib, self.models.get(model, -1) if model else -1, accelerators, share)

    def taken(self, it: Occupant) -> tuple[list[int], Need]:
        """The rows that it occupies, and what it has of each."""
        rows, count = self.rows(it)
        need = self.need(it.cpus, it.memory_mib, it.accelerator, it.accelerators, it.accelerator_share)
        lump = bool(rows) and bool(self.lump[self.pool_of[rows[0]]])
        return rows, need.times(count) if lump else need

    def occupy(self, it: Occupant) -> None:
        rows, need = self.taken(it)
        ends = _ends(it)
        for row in rows:
            self._add(row, need, 1)
        if need.shared:
            slots = dict(zip(it.nodes, it.accelerator_slots, strict=False))
            for row in rows:
                slot = slots.get(self.names[row])
                if slot is None:
                    slot = self.parts.slot(need.model, row, need.share)
                opened = self.parts.add(need.model, row, slot, it.attempt, Part(need.share, ends))
                self.accelerators[need.model, row] -= opened
        self.releases.add(it.attempt, rows, need, ends)

    def release(self, it: Occupant) -> None:
        rows, need = self.taken(it)
        for row in rows:
            self._add(row, need, -1)
            if need.shared:
                self.accelerators[need.model, row] += self.parts.remove(need.model, row, it.attempt)
        self.releases.remove(it.attempt)

    def _add(self, row: int, need: Need, sign: int) -> None:
        self.cpus[row] -= sign * need.cpus
        self.memory[row] -= sign * need.memory_mib
        if need.model >= 0:
            self.accelerators[need.model, row] -= sign * need.whole


def _ends(it: Occupant) -> tuple[int, int, int]:
    """When it gives back what it has (ms): at the latest, and when a tenth and half of its like would."""
    if it.stopping:
        return 0, 0, 0
    if it.ends_by is None:
        return FOREVER, FOREVER, FOREVER
    began = it.placed_at if it.started_at is None else it.started_at
    if it.expected is not None:
        return it.ends_by, began + it.expected.p10 * 1000, began + it.expected.p50 * 1000
    longest = it.ends_by - began
    return it.ends_by, began + longest // 10, began + longest // 2


class Releases:
    """What live attempts will give back, by row and time: columns row, end (ms), cpus, memory, model,
    whole accelerators, and the two ends that are likely. Slots of attempts that ended are used again; an
    empty one has row -1."""

    def __init__(self) -> None:
        self._columns: Ints = np.full((8, 64), -1, dtype=np.int64)
        self._used = 0
        self._free: list[int] = []
        self._slots: dict[str, list[int]] = {}

    def add(self, attempt: str, rows: list[int], need: Need, ends: tuple[int, int, int]) -> None:
        end, *likely = ends
        slots = []
        for row in rows:
            slot = self._free.pop() if self._free else self._next()
            takes = (need.cpus, need.memory_mib, need.model, need.whole)
            self._columns[:, slot] = (row, end, *takes, *likely)
            slots.append(slot)
        if slots:
            self._slots[attempt] = slots

    def remove(self, attempt: str) -> None:
        for slot in self._slots.pop(attempt, ()):
            self._columns[0, slot] = -1
            self._free.append(slot)

    def columns(self) -> Ints:
        """The used ones, eight rows."""
        has = self._columns[:, : self._used]
        return has[:, has[0] >= 0]

    def _next(self) -> int:
        if self._used == self._columns.shape[1]:
            self._columns = np.concatenate((self._columns, np.full_like(self._columns, -1)), axis=1)
        self._used += 1
        return self._used - 1
