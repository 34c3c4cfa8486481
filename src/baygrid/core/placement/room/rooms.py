"""What is free while a plan is being made: an overlay on the image's nodes, which themselves do not change.

A row may be promised: from some time on somebody else has it (a kept place, an advance reservation). A job
may still use it if it ends before, or if it fits beside what is promised.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from baygrid.core.placement.policy import Policy, Reserved
from baygrid.core.placement.room.nodes import FOREVER, Bools, Ints, Need, NodeTable
from baygrid.core.placement.room.parts import WHOLE, Part

MANY: Final = 1 << 40
"""Nodes of a partition that takes attempts without a look at its room."""


class _Most(NamedTuple):
    """By pool, the most that any row has: of a model, and of cpus and memory beside at least one of it. What
    other jobs took since may be missing: never too little."""

    accelerators: list[int]
    cpus: list[int]
    memory: list[int]


class Rooms:
    """`until`: by row, when it is promised to somebody else; `spare`: what will be free of it then beside the
    promise. `ends`: what this plan itself put on rows: (row, end, need)."""

    def __init__(
        self, nodes: NodeTable, policy: Policy, pending: dict[tuple[str, str], int], now: int
    ) -> None:
        self.nodes = nodes
        self.now = now
        self.cpus = nodes.cpus.copy()
        self.memory = nodes.memory.copy()
        self.accelerators = nodes.accelerators.copy()
        self.parts = nodes.parts.copy()
        self.summed: Ints = self.accelerators.sum(axis=0)
        self.ends: list[tuple[int, int, Need]] = []
        self.until: Ints | None = None
        self.reserved = _Reservations(nodes, policy, now)
        self.most_pending = {
            nodes.number[where]: limit
            for where in nodes.where
            if (limit := policy.centre(where[0]).max_pending) is not None and where[0] in nodes.lumped
        }
        self.pending = {pool: pending.get(nodes.where[pool], 0) for pool in self.most_pending}
        self.spare: tuple[Ints, Ints, Ints] | None = None
        self._promised: set[int] = set()
        self._beside: dict[int, dict[int, tuple[int, int, int, int]]] = {}
        self._lumps = np.flatnonzero(nodes.lump)
        self._most_cpus: list[int] = largest(self.cpus, nodes).tolist()
        self._most_memory: list[int] = largest(self.memory, nodes).tolist()
        self._most_with: list[_Most] = [
            _Most(
                largest(amounts, nodes).tolist(),
                largest(np.where(amounts > 0, self.cpus, -1), nodes).tolist(),
                largest(np.where(amounts > 0, self.memory, -1), nodes).tolist(),
            )
            for amounts in self.accelerators
        ]

    def may_fit(self, pool: int, need: Need, end: int) -> bool:
        """Whether the pool has enough of everything, if not on one row, for a job that would end at `end`.
        Quick."""
        if need.shared:  # rows without a whole device may do
            roomy = self._most_cpus[pool] >= need.cpus and self._most_memory[pool] >= need.memory_mib
            return roomy or pool in self.most_pending
        if pool in self._promised and not self._may_fit_beside(pool, need, end):
            return False
        if need.model >= 0:
            most = self._most_with[need.model]
            enough = (
                most.accelerators[pool] >= need.accelerators
                and most.cpus[pool] >= need.cpus
                and most.memory[pool] >= need.memory_mib
            )
        else:
            enough = (
                not need.accelerators
                and self._most_cpus[pool] >= need.cpus
                and self._most_memory[pool] >= need.memory_mib
            )
        return enough or pool in self.most_pending

    def _may_fit_beside(self, pool: int, need: Need, end: int) -> bool:
        """The same for a pool with promised rows: whoever ends after all of their times has only what is left
        beside."""
        by_model = self._beside.setdefault(pool, {})
        found = by_model.get(need.model)
        if found is None:
            found = by_model[need.model] = self._most_beside(pool, need.model)
        latest, accelerators, cpus, memory = found
        return end <= latest or (
            cpus >= need.cpus and memory >= need.memory_mib and accelerators >= need.accelerators
        )

    def _most_beside(self, pool: int, model: int) -> tuple[int, int, int, int]:
        """The latest time of a promise, and the most accelerators, cpus and memory beside promises."""
        assert self.until is not None
        assert self.spare is not None
        span = self.nodes.rows_of(pool)
        until = self.until[span]
        promised = until < FOREVER
        cpus = np.where(promised, np.minimum(self.spare[0][span], self.cpus[span]), self.cpus[span])
        memory = np.where(promised, np.minimum(self.spare[1][span], self.memory[span]), self.memory[span])
        latest = int(until[promised].max())
        if model < 0:
            return latest, 0, int(cpus.max()), int(memory.max())
        free = self.accelerators[model, span]
        amounts = np.where(promised, np.minimum(self.spare[2][model, span], free), free)
        has = amounts > 0
        most = (np.where(has, column, -1).max() for column in (amounts, cpus, memory))
        return (latest, *map(int, most))  # type: ignore[return-value]

    def fits(self, need: Need, rows: slice | Ints) -> Bools:
        """Which rows have the room now, whoever it is promised to."""
        mask = (self.cpus[rows] >= need.cpus) & (self.memory[rows] >= need.memory_mib)
        if need.model >= 0:
            enough = self.accelerators[need.model, rows] >= need.accelerators
            if need.shared:
                enough |= self.parts.left[need.model, rows] >= need.share
            mask &= enough
        elif need.accelerators:
            mask &= False
        return mask

    def allowed(self, need: Need, rows: slice | Ints, end: int, project: str) -> Bools | None:
        """Which rows are not promised to others, for a job that would end at `end`; None: all."""
        mask = self.reserved.allowed(rows, end, project)
        kept = self.unkept(need, rows, end)
        if mask is None or kept is None:
            return kept if mask is None else mask
        return mask & kept

    def unkept(self, need: Need, rows: slice | Ints, end: int) -> Bools | None:
        """Which rows no kept place forbids; None: all. Beside a kept place a part of a device counts as a
        whole one: the device that it shares may be promised."""
        if self.until is None or self.spare is None:
            return None
        cpus, memory, accelerators = self.spare
        beside = (cpus[rows] >= need.cpus) & (memory[rows] >= need.memory_mib)
        if need.model >= 0:
            beside &= accelerators[need.model, rows] >= need.accelerators
        result: Bools = beside | (self.until[rows] >= end)
        return result

    def counts(self, need: Need, end: int, project: str) -> Ints:
        """By pool: how many nodes can take one node of the job now."""
        every = slice(None)
        mask = self.fits(need, every)
        allowed = self.allowed(need, every, end, project)
        if allowed is not None:
            mask &= allowed
        found: Ints = np.bincount(self.nodes.pool_of[mask], minlength=len(self.nodes.where))
        for pool in self._lumps:
            found[pool] = self.lump_count(int(pool), need, end, project)
        return found

    def lump_count(self, pool: int, need: Need, end: int, project: str) -> int:
        """How many nodes a partition known by its sums can take now."""
        limit = self.most_pending.get(pool)
        if limit is not None:
            return MANY if self.pending[pool] < limit else 0
        row = int(self.nodes.starts[pool])
        most = self.lump_free(pool, need)
        while most > 0:
            allowed = self.allowed(need.times(most), np.array([row]), end, project)
            if allowed is None or allowed[0]:
                break
            most -= 1
        return most

    def lump_free(self, pool: int, need: Need) -> int:
        """How many nodes' worth of room such a partition has, whoever it is promised to."""
        axes = self._axes(int(self.nodes.starts[pool]), need)
        return max(0, min((has // asked for has, asked in axes if asked), default=MANY))

    def _axes(self, row: int, need: Need) -> list[tuple[int, int]]:
        axes = [(int(self.cpus[row]), need.cpus), (int(self.memory[row]), need.memory_mib)]
        if need.model >= 0:
            axes.append((int(self.accelerators[need.model, row]), need.accelerators))
        elif need.accelerators:
            axes.append((0, need.accelerators))
        return axes

    def choose(self, pool: int, need: Need, count: int, end: int, project: str) -> Ints:
        """The tightest rows of a pool that can take one node each, at most `count`.

        What would be left of the accelerator asked for, then of all accelerators, then cpus, then memory,
        decides; then the name. So plain jobs keep off idle accelerators. Before all of that a part of a
        device goes where least is left of a shared one.
        """
        span = self.nodes.rows_of(pool)
        mask = self.fits(need, span)
        allowed = self.reserved.allowed(span, end, project)
        if allowed is not None:
            mask &= allowed
        if pool in self._promised:
            kept = self.unkept(need, span, end)
            if kept is not None:
                mask &= kept
        rows: Ints = mask.nonzero()[0] + span.start
        if len(rows) > 1:
            keys = [self.memory[rows], self.cpus[rows], self.summed[rows]]
            if need.model >= 0:
                keys.append(self.accelerators[need.model, rows])
            if need.shared:
                keys.append(self._left_over(need, rows))
            rows = rows[np.lexsort(keys)[:count]]
        return rows[:count]

    def _left_over(self, need: Need, rows: Ints) -> Ints:
        """Of the device that a part would be of, on each row."""
        found = np.full(len(rows), WHOLE, dtype=np.int64)
        for n in np.flatnonzero(self.parts.left[need.model, rows] >= need.share).tolist():
            found[n] = self.parts.tightest(need.model, int(rows[n]), need.share)
        return found

    def take(self, pool: int, rows: Ints, count: int, need: Need, end: int) -> tuple[int, ...]:
        """The job has `count` nodes there until `end`. Returns the slot of its device on each row, if it
        shares one."""
        if pool in self.pending:
            self.pending[pool] += 1
        if self.nodes.lump[pool]:
            need = need.times(count)
        slots: list[int] = []
        for row in rows.tolist():
            self.cpus[row] -= need.cpus
            self.memory[row] -= need.memory_mib
            if need.model >= 0:
                self.accelerators[need.model, row] -= need.whole
                self.summed[row] -= need.whole
            if need.shared:
                slots.append(self._share(row, need, end))
            self.ends.append((row, end, need))
            if self.until is not None and self.until[row] < end:
                self._take_spare(row, need)
        self._beside.pop(pool, None)
        span = self.nodes.rows_of(pool)
        cpus, memory = self.cpus[span], self.memory[span]
        if need.model < 0:
            self._most_cpus[pool], self._most_memory[pool] = int(cpus.max()), int(memory.max())
            return ()
        most, amounts = self._most_with[need.model], self.accelerators[need.model, span]
        has = amounts > 0
        most.accelerators[pool] = int(amounts.max())
        most.cpus[pool] = int(np.where(has, cpus, -1).max())
        most.memory[pool] = int(np.where(has, memory, -1).max())
        return tuple(slots)

    def _share(self, row: int, need: Need, end: int) -> int:
        slot = self.parts.slot(need.model, row, need.share)
        part = Part(need.share, (end, 0, 0))
        opened = self.parts.add(need.model, row, slot, f"planned {len(self.ends)}", part)
        self.accelerators[need.model, row] -= opened
        self.summed[row] -= opened
        return slot

    def _take_spare(self, row: int, need: Need) -> None:
        assert self.spare is not None
        cpus, memory, accelerators = self.spare
        cpus[row] -= need.cpus
        memory[row] -= need.memory_mib
        if need.model >= 0:
            accelerators[need.model, row] -= need.accelerators

    def keep(self, row: int, need: Need, start: int, free: tuple[int, int, Ints]) -> None:
        """The row is promised from `start` on to a job that needs so much of it; `free` (cpus, memory,
        accelerators by model) is what will be free then."""
        if self.until is None or self.spare is None:
            self.until = np.full(len(self.cpus), FOREVER, dtype=np.int64)
            self.spare = (self.cpus.copy(), self.memory.copy(), self.accelerators.copy())
        cpus, memory, accelerators = self.spare
        if self.until[row] == FOREVER:
            cpus[row], memory[row], accelerators[:, row] = free
        else:
            cpus[row] = min(cpus[row], free[0])
            memory[row] = min(memory[row], free[1])
            accelerators[:, row] = np.minimum(accelerators[:, row], free[2])
        self.until[row] = min(int(self.until[row]), start)
        self._promised.add(int(self.nodes.pool_of[row]))
        self._beside.pop(int(self.nodes.pool_of[row]), None)
        self._take_spare(row, need)


def largest(amounts: Ints, nodes: NodeTable) -> Ints:
    """By pool: the most that one row has, -1 where there is none."""
    found = np.full(len(nodes.where), -1, dtype=np.int64)
    filled = np.flatnonzero(nodes.starts[:-1] < nodes.starts[1:])
    if len(filled):
        found[filled] = np.maximum.reduceat(amounts, nodes.starts[filled])
    return found


class _Reservations:
    """Advance reservations that are not over, by the rows that they cover."""

    def __init__(self, nodes: NodeTable, policy: Policy, now: int) -> None:
        self.found: list[tuple[Reserved, Ints]] = []
        for it in policy.reservations:
            rows = nodes.named(it.centre, it.partition, it.nodes)
            if it.end > now and rows:
                self.found.append((it, np.array(rows, dtype=np.int64)))
        self._now = now
        self._size = len(nodes.cpus)
        self._until: dict[str, Ints | None] = {}

    def until(self, project: str) -> Ints | None:
        """By row: from when on it is reserved for others than this project; None: no row is."""
        if not self.found:
            return None
        if project not in self._until:
            others = [(it, rows) for it, rows in self.found if project not in it.projects]
            until = np.full(self._size, FOREVER, dtype=np.int64)
            for it, rows in others:
                until[rows] = np.minimum(until[rows], it.start)
            self._until[project] = until if others else None
        return self._until[project]

    def allowed(self, rows: slice | Ints, end: int, project: str) -> Bools | None:
        until = self.until(project)
        return None if until is None else until[rows] >= end
