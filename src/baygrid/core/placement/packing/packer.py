"""A cluster that is packed request by request, by one policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from baygrid.core.placement.packing.cluster import Cluster, Request
from baygrid.core.placement.packing.fragmentation import typical
from baygrid.core.placement.packing.kernel import POLICIES, Scores, change, measure, place

_RING = 8192


class Placed(NamedTuple):
    """A request on a node: the shape's number, the node's row, and the devices taken as a bit mask."""

    shape: int
    node: int
    devices: int


class Packer:
    """Takes and gives back room on the nodes of a cluster. Equal calls in equal order take equal nodes.

    `usual`: the requests that are expected and their weights (fragmentation is what these cannot use), see
    `fragmentation.popular`. The shapes that will be placed are added with `shape`.
    """

    def __init__(self, cluster: Cluster, policy: str, usual: Sequence[tuple[Request, float]]) -> None:
        if policy not in POLICIES:
            raise ValueError(f"no placement policy {policy!r}: use one of {', '.join(POLICIES)}")
        self.cluster = cluster
        self._policy = POLICIES.index(policy)
        self._typical = typical(cluster, usual)
        self._shapes: dict[Request, int] = {}
        n, width = cluster.nodes.devices.shape
        self._table = np.zeros((0, 5), np.int64)
        self._scores = Scores(
            score=np.zeros((0, n)),
            seen=np.zeros(0, np.int64),
            changes=np.zeros(_RING, np.int64),
            counter=np.zeros(1, np.int64),
            last=np.full(n, -1, np.int64),
            before=np.zeros(n),
            sums=np.zeros(6 + 2 * len(self._typical.keys)),
            after=np.zeros(width, np.int64),
        )
        self._arrays = (*cluster.nodes, *self._typical, *self._scores)
        self._one = np.zeros((1, 2), np.int64)
        self.measure()

    def measure(self) -> None:
        """Look at all nodes anew: to be called when the cluster's arrays were written by others."""
        measure(self.cluster.nodes, self._typical, self._scores)
        self._scores.seen[:] = -1

    def shape(self, request: Request) -> int:
        """The number by which this request is placed."""
        number = self._shapes.setdefault(request, len(self._shapes))
        if number == len(self._table):
            self._grow(max(16, 2 * number))
        self._table[number] = self.cluster.row(request)
        return number

    def _grow(self, shapes: int) -> None:
        more = shapes - len(self._table)
        n = len(self._scores.last)
        self._table = np.concatenate([self._table, np.zeros((more, 5), np.int64)])
        self._scores = self._scores._replace(
            score=np.concatenate([self._scores.score, np.zeros((more, n))]),
            seen=np.concatenate([self._scores.seen, np.full(more, -1, np.int64)]),
        )
        self._arrays = (*self.cluster.nodes, *self._typical, *self._scores)

    def place(self, shape: int, draw: float = 0.0) -> Placed | None:
        """Take the best node for one request of this shape; None: it fits nowhere. `draw` (0 to 1) is the
        chance that policy random uses."""
        gang = self._one
        if not place(self._policy, self._table, shape, draw, gang, *self._arrays):
            return None
        return Placed(shape, int(gang[0, 0]), int(gang[0, 1]))

    def place_gang(self, shape: int, size: int, draw: float = 0.0) -> tuple[Placed, ...] | None:
        """Take one request of this shape on each of `size` different nodes, or none at all."""
        gang = np.zeros((size, 2), np.int64)
        if not place(self._policy, self._table, shape, draw, gang, *self._arrays):
            return None
        return tuple(Placed(shape, node, devices) for node, devices in gang.tolist())

    def release(self, placed: Placed) -> None:
        """Give back what was taken."""
        request = self._table[placed.shape]
        change(self.cluster.nodes, placed.node, request, placed.devices, -1, self._typical, self._scores)
