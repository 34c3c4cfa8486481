"""Strictly first come, first served, without interruption: the measure that rotation is held against."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TypeAlias

import numpy as np

from baygrid.core.placement.rotation.rotate import Course, Gangs

Seat: TypeAlias = tuple[tuple[int, int], ...]
"""Of one gang: nodes by number and the GPUs taken on each."""


class Nodes:
    """Equal nodes with GPUs in use. A gang is seated whole or not at all; it never moves."""

    def __init__(self, nodes: int, width: int) -> None:
        self._width = width
        self._free = [width] * nodes
        self.left = nodes * width

    def take(self, gpus: int) -> Seat | None:
        """Whole nodes first, then the tightest node for the rest, the first by number among equals."""
        whole, rest = divmod(gpus, self._width)
        if gpus > self.left:
            return None
        empty = [node for node, free in enumerate(self._free) if free == self._width][:whole] if whole else []
        if len(empty) < whole:
            return None
        seat = [(node, self._width) for node in empty]
        if rest:
            room = [
                (free, node) for node, free in enumerate(self._free) if free >= rest and node not in empty
            ]
            if not room:
                return None
            seat.append((min(room)[1], rest))
        for node, taken in seat:
            self._free[node] -= taken
        self.left -= gpus
        return tuple(seat)

    def give(self, seat: Seat) -> None:
        """Free a gang's GPUs."""
        for node, taken in seat:
            self._free[node] += taken
            self.left += taken


def first_come(gangs: Gangs, nodes: int, width: int) -> Course:
    """The head of the queue waits for its room, and all behind it wait with it. ValueError as `rotate`."""
    if len(gangs.gpus) and -(-int(gangs.gpus.max()) // width) > nodes:
        raise ValueError(f"a gang of {gangs.gpus.max()} GPUs does not fit {nodes} nodes of {width}")
    floor = Nodes(nodes, width)
    running: list[tuple[float, int, Seat]] = []
    starts, ends = [0.0] * len(gangs.submit), [0.0] * len(gangs.submit)
    now = 0.0
    for gang, (submit, gpus, work) in enumerate(
        zip(gangs.submit.tolist(), gangs.gpus.tolist(), gangs.work.tolist(), strict=True)
    ):
        now = max(now, submit)
        while running and running[0][0] <= now:
            floor.give(heappop(running)[2])
        while (seat := floor.take(gpus)) is None:
            now, _, freed = heappop(running)
            floor.give(freed)
        starts[gang], ends[gang] = now, now + work
        heappush(running, (now + work, gang, seat))
    turns = np.column_stack((np.arange(len(starts)), starts, ends)).astype(np.float64)
    return Course(np.array(starts), np.array(ends), turns)
