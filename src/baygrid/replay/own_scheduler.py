"""Centres whose own scheduler chooses the nodes: first come, first served, in each partition."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from baygrid.core.placement.image import CentreView, Node, Placement
from baygrid.core.placement.room.parts import WHOLE, Part, Parts

_NO_END = (0, 0, 0)
"""First come, first served asks nobody when it ends."""


class _Nodes:
    """What is free on each node of one partition; accelerators that several share are in `parts`."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._cpus = [node.cpus for node in nodes]
        self._memory = [node.memory_mib for node in nodes]
        self._whole = [dict(node.accelerators) for node in nodes]
        models = sorted({model for node in nodes for model in node.accelerators})
        self._models = {model: number for number, model in enumerate(models)}
        self._parts = Parts(len(models), len(nodes))

    def fitting(self, it: Placement) -> list[int]:
        """The nodes with room for one node of it. A part of a device goes where least of a shared one is
        left."""
        found = [row for row in range(len(self._cpus)) if self._holds(row, it)]
        if it.accelerator is not None and it.accelerator_share < WHOLE:
            model = self._models[it.accelerator]
            found.sort(key=lambda row: self._parts.tightest(model, row, it.accelerator_share))
        return found

    def _holds(self, row: int, it: Placement) -> bool:
        if self._cpus[row] < it.cpus or self._memory[row] < it.memory_mib:
            return False
        if it.accelerator is None:
            return True
        whole = self._whole[row].get(it.accelerator, 0) >= it.accelerators
        shared = it.accelerator_share < WHOLE and it.accelerator in self._models
        return whole or (
            shared and int(self._parts.left[self._models[it.accelerator], row]) >= it.accelerator_share
        )

    def take(self, row: int, it: Placement) -> None:
        self._cpus[row] -= it.cpus
        self._memory[row] -= it.memory_mib
        if it.accelerator is None:
            return
        devices = it.accelerators
        if it.accelerator_share < WHOLE:
            model = self._models[it.accelerator]
            slot = self._parts.slot(model, row, it.accelerator_share)
            part = Part(it.accelerator_share, _NO_END)
            devices = int(self._parts.add(model, row, slot, it.attempt, part))
        self._whole[row][it.accelerator] -= devices

    def give_back(self, row: int, it: Placement) -> None:
        self._cpus[row] += it.cpus
        self._memory[row] += it.memory_mib
        if it.accelerator is None:
            return
        devices = it.accelerators
        if it.accelerator_share < WHOLE:
            devices = int(self._parts.remove(self._models[it.accelerator], row, it.attempt))
        self._whole[row][it.accelerator] += devices


class OwnScheduler:
    """Knows the nodes of its centres and who runs on them. Attempts are told to start, by id."""

    def __init__(self, centres: Iterable[CentreView]) -> None:
        self._nodes = {
            (part.centre, part.name): _Nodes(part.nodes) for centre in centres for part in centre.partitions
        }
        self._queues: dict[tuple[str, str], deque[Placement]] = defaultdict(deque)
        self._running: dict[str, list[int]] = {}

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
        for row in self._running.pop(placement.attempt, ()):
            self._nodes[where].give_back(row, placement)
        left = (it for it in self._queues[where] if it.attempt != placement.attempt)
        self._queues[where] = deque(left)
        return self._starts(where)

    def _starts(self, where: tuple[str, str]) -> list[str]:
        started = []
        queue, nodes = self._queues[where], self._nodes[where]
        while queue:
            first = queue[0]
            fitting = nodes.fitting(first)
            if len(fitting) < first.count:
                break
            queue.popleft()
            self._running[first.attempt] = chosen = fitting[: first.count]
            for row in chosen:
                nodes.take(row, first)
            started.append(first.attempt)
        return started
