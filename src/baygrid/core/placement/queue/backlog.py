"""The waiting jobs, in lines: one line for all jobs of a user that are alike but for their turn.

What a plan asks (is there anybody whose job fits what became free?) is answered by line, never by job, so
its cost does not grow with the length of the queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

from baygrid.core.placement.demand import Demand

Key: TypeAlias = tuple[int, int, str]
"""Order within a line and among users with equal standing: deadline, submitted_at, id."""

NEVER: Final = 1 << 62
"""The deadline of a job without one."""

KEPT: Final = 1024
"""So many kinds without jobs are remembered at least: what is known of them may be asked again soon."""


def key_of(demand: Demand) -> Key:
    return (NEVER if demand.deadline is None else demand.deadline, demand.submitted_at, demand.job)


class Kind:
    """Jobs of one shape in one queue: what one may have, another may have too. `lines`: how many lines are of
    this kind."""

    __slots__ = ("example", "key", "lines")

    def __init__(self, key: tuple[object, str], example: Demand) -> None:
        self.key = key
        self.example = example
        self.lines = 0


class Leaf:
    """One user's jobs of one priority class."""

    __slots__ = ("lines", "path", "priority")

    def __init__(self, priority: int, path: tuple[str, str, str]) -> None:
        self.priority = priority
        self.path = path
        self.lines: dict[Kind, Line] = {}


class Line:
    """The jobs of one kind of one leaf: a heap. Jobs that left stay in it until they come to its head."""

    __slots__ = ("gone", "heap", "kind", "leaf")

    def __init__(self, leaf: Leaf, kind: Kind) -> None:
        self.leaf = leaf
        self.kind = kind
        self.heap: list[Key] = []
        self.gone = 0

    def __len__(self) -> int:
        return len(self.heap) - self.gone


class Backlog:
    """Jobs by id. `classes`: by priority, organisation, project and user."""

    def __init__(self, demands: Iterable[Demand] = ()) -> None:
        self._jobs: dict[str, tuple[Demand, Line]] = {}
        self._kinds: dict[tuple[object, str], Kind] = {}
        self._empty = 0
        self._queues: Counter[str] = Counter()
        self.classes: dict[int, dict[str, dict[str, dict[str, Leaf]]]] = {}
        for demand in demands:
            self.add(demand)

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: str) -> bool:
        return job in self._jobs

    def __iter__(self) -> Iterator[Demand]:
        return (demand for demand, _ in self._jobs.values())

    @property
    def kinds(self) -> dict[tuple[object, str], Kind]:
        """By shape and queue: all that have jobs, and some that had."""
        return self._kinds

    def waiting(self, queue: str) -> int:
        """How many wait in a queue."""
        return self._queues[queue]

    def get(self, job: str) -> Demand:
        """Raises KeyError."""
        return self._jobs[job][0]

    def line(self, job: str) -> Line:
        """Where it stands. Raises KeyError."""
        return self._jobs[job][1]

    def add(self, demand: Demand) -> None:
        """A job waits; what was known of it before is replaced."""
        known = self._jobs.get(demand.job)
        if known is not None:
            if known[0] == demand:
                return
            self.remove(demand.job)
        kind = self._kind(demand)
        leaf = self._leaf(demand)
        line = leaf.lines.get(kind)
        if line is None:
            line = leaf.lines[kind] = Line(leaf, kind)
            self._empty -= not kind.lines
            kind.lines += 1
        self._jobs[demand.job] = (_alike(demand, kind.example), line)
        self._queues[demand.queue] += 1
        heappush(line.heap, key_of(demand))

    def remove(self, job: str) -> Demand | None:
        """It waits no more; unknown is fine."""
        found = self._jobs.pop(job, None)
        if found is None:
            return None
        demand, line = found
        self._queues[demand.queue] -= 1
        line.gone += 1
        heap = line.heap
        while heap and not self._waits(heap[0], line):
            heappop(heap)
            line.gone -= 1
        if not heap:
            self._close(line)
        elif line.gone > 16 + len(heap) // 2:
            line.heap = list({key for key in heap if self._waits(key, line)})
            heapify(line.heap)
            line.gone = 0
        return demand

    def walk(self, line: Line) -> Iterator[Key]:
        """The line from its head on. It must not change meanwhile."""
        heap = line.heap
        ahead = [(heap[0], 0)] if heap else []
        last: Key | None = None
        while ahead:
            key, at = heappop(ahead)
            for child in (2 * at + 1, 2 * at + 2):
                if child < len(heap):
                    heappush(ahead, (heap[child], child))
            if key != last and self._waits(key, line):
                last = key
                yield key

    def _waits(self, key: Key, line: Line) -> bool:
        found = self._jobs.get(key[2])
        return found is not None and found[1] is line and key_of(found[0]) == key

    def _kind(self, demand: Demand) -> Kind:
        key = (demand.shape, demand.queue)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = Kind(key, demand)
            self._empty += 1
        return kind

    def _leaf(self, demand: Demand) -> Leaf:
        organisation, project, user = demand.path
        projects = self.classes.setdefault(demand.priority, {}).setdefault(organisation, {})
        users = projects.setdefault(project, {})
        leaf = users.get(user)
        if leaf is None:
            leaf = users[user] = Leaf(demand.priority, demand.path)
        return leaf

    def _close(self, line: Line) -> None:
        """Nobody is in the line: it goes, and its leaf, branch and kind with it where they are empty."""
        leaf, kind = line.leaf, line.kind
        del leaf.lines[kind]
        kind.lines -= 1
        if not kind.lines:
            self._empty += 1
            if self._empty > KEPT + len(self._kinds) // 2:
                self._kinds = {key: kind for key, kind in self._kinds.items() if kind.lines}
                self._empty = 0
        if leaf.lines:
            return
        organisation, project, user = leaf.path
        organisations = self.classes[leaf.priority]
        projects = organisations[organisation]
        del projects[project][user]
        if not projects[project]:
            del projects[project]
        if not projects:
            del organisations[organisation]
        if not organisations:
            del self.classes[leaf.priority]


def _alike(demand: Demand, example: Demand) -> Demand:
    """The demand with the parts of its shape shared with the first of its kind: a million jobs of a few
    thousand shapes must not keep a million copies."""
    if demand.shape is example.shape:
        return demand
    return replace(
        demand,
        shape=example.shape,
        accelerators=example.accelerators,
        shares=example.shares,
        infra=example.infra,
        residency=example.residency,
        bars=example.bars,
    )
