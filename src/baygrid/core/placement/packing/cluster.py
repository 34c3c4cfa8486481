"""Nodes and requests as arrays: what the packing kernels read and write.

Amounts are whole numbers: cpu in thousandths of a core, memory in MiB, accelerators in thousandths of one.
The set of models that a request allows is a bit mask, so one comparison tells whether a device will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

WHOLE: Final = 1000
"""Thousandths of one accelerator."""
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


class Nodes(NamedTuple):
    """The free part of every node; rows are nodes in the order in which ties are broken (the first wins).

    `room` (n, 2): cpu, memory. `devices` (n, d): free thousandths, 0 where a node has no such device.
    `bits` (n, d): one bit for the model, 0 where there is no device. `size` (n,): devices of the node.
    `tenants` (n, d+1): requests on it that share a device (column 0) or hold k whole ones (column k).
    """

    room: Ints
    devices: Ints
    bits: Ints
    size: Ints
    tenants: Ints


class Cluster:
    """Nodes as arrays, and the bit of each model."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.models = {
            name: bit for bit, name in enumerate(sorted({m for host in hosts for m in host.models}))
        }
        if len(self.models) > MODELS:
            raise ValueError(f"{len(self.models)} accelerator models, and {MODELS} can be told apart")
        width = max([len(host.models) for host in hosts], default=0) or 1
        n = len(hosts)
        self.nodes = Nodes(
            room=np.array([(host.cpu, host.memory) for host in hosts], np.int64).reshape(n, 2),
            devices=np.zeros((n, width), np.int64),
            bits=np.zeros((n, width), np.int64),
            size=np.array([len(host.models) for host in hosts], np.int64),
            tenants=np.zeros((n, width + 1), np.int64),
        )
        for row, host in enumerate(hosts):
            self.nodes.devices[row, : len(host.models)] = WHOLE
            self.nodes.bits[row, : len(host.models)] = [1 << self.models[model] for model in host.models]

    def mask(self, models: Iterable[str]) -> int:
        """The bits of these models; none named: all. A model that no node has adds no bit."""
        named = frozenset(models)
        return sum(1 << self.models[name] for name in named if name in self.models) if named else ANY

    def row(self, request: Request) -> tuple[int, int, int, int, int]:
        """cpu, memory, count, share, mask: one row of the table of requests that the kernels read."""
        mask = self.mask(request.models)
        return request.cpu, request.memory, request.count, request.share, mask
