"""A cluster that is packed request by request, by one policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from baygrid.core.placement.packing.cluster import Cluster, Request
from baygrid.core.placement.packing.kernel import POLICIES, Ints, change, idle_of, look, place
from baygrid.core.placement.packing.usual import outlook, popular, typical

_RING: Final = 8192
"""Changes that are remembered: a shape that has missed more is scored on every node."""


class Placed(NamedTuple):
    """A request on a node: the shape's number, the node's row, and the devices taken as a bit mask."""

    shape: int
    node: int
    devices: int


class Packer:
    """Takes and gives back room on the nodes of a cluster. Equal calls in equal order take equal nodes.

    `usual`: how often each request is expected, in any unit; policies fgd and baygrid keep room of use to
    these.
    """

    def __init__(self, cluster: Cluster, policy: str, usual: Mapping[Request, float]) -> None:
        if policy not in POLICIES:
            raise ValueError(f"no placement policy {policy!r}: use one of {', '.join(POLICIES)}")
        self.cluster = cluster
        self._policy = POLICIES.index(policy)
        self._typical = typical(cluster, popular(usual))
        self._outlook = outlook(cluster, usual)
        n, keys = len(cluster.nodes), len(self._typical.keys)
        self._changes = np.zeros(_RING, np.int64), np.zeros(1, np.int64), np.full(n, -1, np.int64)
        self._before = np.zeros(n)
        self._found, self._after = np.zeros((keys, 2), np.int64), np.zeros((keys, 2), np.int64)
        self._shapes: dict[Request, int] = {}
        self._table: Ints = np.zeros((0, 5), np.int64)
        self._score, self._seen = np.zeros((0, n)), np.zeros(0, np.int64)
        self._grow(16)
        self.measure()

    def measure(self) -> None:
        """Look at all nodes anew: to be called when the cluster's array was written by others."""
        self._seen[:] = -1
        self._outlook.idle[:] = 0
        nodes, it = self.cluster.nodes, self._outlook
        for node in range(len(nodes)):
            it.idle[it.family[node]] += idle_of(nodes, node)
            look(self._policy, node, nodes, self._before, *self._typical, self._found, it.worth)

    def shape(self, request: Request) -> int:
        """The number by which this request is placed."""
        number = self._shapes.setdefault(request, len(self._shapes))
        if number == len(self._table):
            self._grow(2 * number)
        self._table[number] = self.cluster.row(request)
        return number

    def _grow(self, shapes: int) -> None:
        more = shapes - len(self._table)
        self._table = np.concatenate([self._table, np.zeros((more, 5), np.int64)])
        self._score = np.concatenate([self._score, np.zeros((more, len(self._before)))])
        self._seen = np.concatenate([self._seen, np.full(more, -1, np.int64)])
        scores = self._score, self._seen, *self._changes, self._before
        self._arrays = (
            self.cluster.nodes, *scores, *self._typical, self._found, self._after, *self._outlook
        )  # fmt: skip

    def place(self, shape: int, draw: float = 0.0) -> Placed | None:
        """Take the best node for one request of this shape; None: it fits nowhere. `draw` (0 to 1) is the
        chance that policy random uses."""
        node, devices = place(self._policy, self._table, shape, draw, *self._arrays)
        return None if node < 0 else Placed(shape, int(node), int(devices))

    def release(self, placed: Placed) -> None:
        """Give back what was taken."""
        it, request = self._outlook, self._table[placed.shape]
        change(
            self._policy, placed.node, request, placed.devices, -1, self.cluster.nodes, *self._changes,
            self._before, *self._typical, self._found, it.worth, it.family, it.idle,
        )  # fmt: skip
