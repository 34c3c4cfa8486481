"""Centres whose own scheduler chooses the nodes: first come, first served, in each partition."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from baygrid.core.placement.image import CentreView, Placement


@dataclass(slots=True)
class _Free:
    """What is free on one node."""

    cpus: int
    memory_mib: int
    accelerators: dict[str, int]

    def holds(self, it: Placement) -> bool:
        free = self.accelerators.get(it.accelerator, 0) if it.accelerator else 0
        return self.cpus >= it.cpus and self.memory_mib >= it.memory_mib and free >= it.accelerators

    def take(self, it: Placement, sign: int) -> None:
        self.cpus -= sign * it.cpus
        self.memory_mib -= sign * it.memory_mib
        if it.accelerator:
            self.accelerators[it.accelerator] -= sign * it.accelerators


class OwnScheduler:
    """Knows the nodes of its centres and who runs on them. Attempts are told to start, by id."""

    def __init__(self, centres: Iterable[CentreView]) -> None:
        self._nodes = {
            (part.centre, part.name): [
                _Free(node.cpus, node.memory_mib, dict(node.accelerators)) for node in part.nodes
            ]
            for centre in centres
            for part in centre.partitions
        }
        self._queues: dict[tuple[str, str], deque[Placement]] = defaultdict(deque)
        self._running: dict[str, list[_Free]] = {}

    def arrives(self, placement: Placement) -> list[str]:
        """A new attempt; which attempts start now."""
        where = placement.centre, placement.partition
        self._queues[where].append(placement)
        return self._starts(where)

    def ends(self, placement: Placement) -> list[str]:
        """An attempt has ended, or left the queue; which attempts start now. One of another centre is none of
        ours."""
        where = placement.centre, placement.partition
        if where not in self._nodes:
            return []
        for node in self._running.pop(placement.attempt, ()):
            node.take(placement, -1)
        left = (it for it in self._queues[where] if it.attempt != placement.attempt)
        self._queues[where] = deque(left)
        return self._starts(where)

    def _starts(self, where: tuple[str, str]) -> list[str]:
        started = []
        queue = self._queues[where]
        while queue:
            first = queue[0]
            free = [node for node in self._nodes[where] if node.holds(first)]
            if len(free) < first.count:
                break
            queue.popleft()
            self._running[first.attempt] = free[: first.count]
            for node in free[: first.count]:
                node.take(first, 1)
            started.append(first.attempt)
        return started
