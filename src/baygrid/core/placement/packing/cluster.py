"""Nodes and requests as arrays: what the packing kernels read and write.

Amounts are whole numbers: cpu in thousandths of a core, memory in MiB, accelerators in thousandths of one.
The set of models that a request allows is a bit mask, so one comparison tells whether a device will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from baygrid.core.placement.packing.kernel import FIRST, SIZE, WHOLE, Ints

MODELS: Final = 62
"""How many models one cluster can tell apart: the bits of a mask."""
ANY: Final = (1 << MODELS) - 1
"""The mask of a request that names no model."""


@dataclass(frozen=True, slots=True)
class Host:
    """One node, empty: `models` has the model of each of its devices, so a node may have several models."""

    cpu: int
    memory: int
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What one node must give: `count` devices with `share` thousandths of each, of one of the `models` (none
    named: any).

    On a node with several models the devices of one request may be of different ones: name one model where
    that must not be.
    """

    cpu: int
    memory: int
    count: int = 0
    share: int = 0
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.cpu, self.memory, self.count) < 0:
            raise ValueError(f"{self} asks for less than nothing")
        if self.count and not 0 < self.share <= WHOLE:
            raise ValueError(f"{self} asks for {self.share} thousandths of a device: say 1 to {WHOLE}")
        if not self.count and self.share:
            raise ValueError(f"{self} asks for a share of no device")


class Cluster:
    """All nodes in one array, since each further array makes a call of a kernel dearer than the decision.

    `nodes` (n, 4 + 3d), d the most devices that a node has; rows are nodes in the order in which ties are
    broken (the first wins). Its columns: `CPU`, `MEMORY`, `SIZE`; from `FIRST` on d free thousandths, d
    bits for the model (both 0 where a node has no such device), and 1 + d counts of requests on the node:
    those that share a device, and those that hold 1 to d whole ones. `total` (n, 2): cpu and memory of the
    empty nodes. `models`: the bit of each model.
    """

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.models = {
            name: bit for bit, name in enumerate(sorted({m for host in hosts for m in host.models}))
        }
        if len(self.models) > MODELS:
            raise ValueError(f"{len(self.models)} accelerator models, and {MODELS} can be told apart")
        self.width = max([len(host.models) for host in hosts], default=0)
        self.total = np.array([(host.cpu, host.memory) for host in hosts], np.int64).reshape(len(hosts), 2)
        self.nodes = np.zeros((len(hosts), FIRST + 1 + 3 * self.width), np.int64)
        self.nodes[:, :SIZE] = self.total
        for row, host in enumerate(hosts):
            self.nodes[row, SIZE] = size = len(host.models)
            self.nodes[row, FIRST : FIRST + size] = WHOLE
            bits = [1 << self.models[model] for model in host.models]
            self.nodes[row, FIRST + self.width : FIRST + self.width + size] = bits

    @property
    def devices(self) -> Ints:
        """(n, d): free thousandths, a view."""
        return self.nodes[:, FIRST : FIRST + self.width]

    @property
    def bits(self) -> Ints:
        """(n, d): the bit of each device's model, 0 where there is no device, a view."""
        return self.nodes[:, FIRST + self.width : FIRST + 2 * self.width]

    def mask(self, models: Iterable[str]) -> int:
        """The bits of these models; none named: all. A model that no node has adds no bit."""
        named = frozenset(models)
        return sum(1 << self.models[name] for name in named if name in self.models) if named else ANY

    def row(self, request: Request) -> tuple[int, int, int, int, int]:
        """cpu, memory, count, share, mask: one row of the table of requests that the kernels read."""
        mask = self.mask(request.models)
        return request.cpu, request.memory, request.count, request.share, mask
