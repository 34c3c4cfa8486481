"""Which accelerators, cpus and port an attempt has for itself. Nothing of it is stored apart from the
claims: after a restart it is counted again from what lives."""

from __future__ import annotations

import os
import socket
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from baygrid.ports.messages import Order, PartitionReport

WHOLE: Final = 1000
"""Thousandths of one device."""
_FIRST_PORT, _PORTS = 20_000, 10_000


class NoRoom(Exception):
    """What the order asks for is not here, or not free."""


@dataclass(frozen=True, slots=True)
class Share:
    """`devices`: for each rank its node and the indexes there. `cpus` empty: not pinned. `part`: thousandths
    of its one device, which it has with all that have the same number in `slots` (one for each rank)."""

    devices: tuple[tuple[str, str | None, tuple[int, ...]], ...]
    cpus: tuple[int, ...]
    port: int
    part: int = WHOLE
    slots: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        told = {"devices": self.devices, "cpus": self.cpus, "port": self.port}
        return told if self.part == WHOLE else {**told, "part": self.part, "slots": self.slots}

    @classmethod
    def from_json(cls, data: Any) -> Share:
        """Raises ValueError."""
        try:
            devices = tuple((str(node), model, tuple(map(int, ids))) for node, model, ids in data["devices"])
            part, slots = int(data.get("part", WHOLE)), tuple(map(int, data.get("slots", ())))
            return cls(devices, tuple(map(int, data["cpus"])), int(data["port"]), part, slots)
        except (KeyError, TypeError) as error:
            raise ValueError(f"the claim cannot be read: {error!r}") from None

    def visible(self) -> list[str]:
        """CUDA_VISIBLE_DEVICES for each rank."""
        return [",".join(map(str, ids)) for _, _, ids in self.devices]


@dataclass(slots=True)
class _Shared:
    """A device that several attempts have; `used` thousandths of it."""

    index: int
    used: int


class Shares:
    """What is taken on this machine."""

    def __init__(self, partitions: Sequence[PartitionReport]) -> None:
        self._nodes = {(part.name, node.name): node for part in partitions for node in part.nodes}
        self._taken: dict[tuple[str, str | None], set[int]] = defaultdict(set)
        self._shared: dict[tuple[str, str | None, int], _Shared] = {}
        self._cpu_load = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0)
        # Nodes that declare more than the machine has are virtual: pinning would only crowd their jobs.
        self._pins = sum(node.cpus for node in self._nodes.values()) <= len(self._cpu_load)
        self._ports: set[int] = set()

    def choose(self, order: Order) -> Share:
        """Distinct free accelerators, the least used cpus, a free port. Nothing is taken yet. Raises
        NoRoom."""
        devices: list[tuple[str, str | None, tuple[int, ...]]] = []
        chosen: dict[str, set[int]] = defaultdict(set)
        if not order.nodes:
            raise NoRoom("the order names no node")
        if order.accelerator_share < WHOLE:
            return self._share_of(order)
        for name in order.nodes:
            node = self._nodes.get((order.partition, name))
            if node is None:
                raise NoRoom(f"there is no node {name!r} in partition {order.partition!r}")
            ids: tuple[int, ...] = ()
            if order.accelerators:
                total = node.accelerators.get(order.accelerator or "", 0)
                used = self._taken[name, order.accelerator] | chosen[name]
                free = [index for index in range(total) if index not in used]
                if len(free) < order.accelerators:
                    raise NoRoom(
                        f"node {name!r} has {len(free)} of {order.accelerators} {order.accelerator} free"
                    )
                ids = tuple(free[: order.accelerators])
                chosen[name].update(ids)
            devices.append((name, order.accelerator, ids))
        return Share(tuple(devices), self._cpus(order), self._port(order.token))

    def _share_of(self, order: Order) -> Share:
        """One device on each node: that of its slot, a free one if the slot has none yet."""
        devices: list[tuple[str, str | None, tuple[int, ...]]] = []
        model = order.accelerator
        if order.accelerators != 1 or len(order.accelerator_slots) != len(order.nodes):
            raise NoRoom("the order does not say which accelerators it shares")
        for name, slot in zip(order.nodes, order.accelerator_slots, strict=True):
            node = self._nodes.get((order.partition, name))
            if node is None:
                raise NoRoom(f"there is no node {name!r} in partition {order.partition!r}")
            shared = self._shared.get((name, model, slot))
            if shared is not None and shared.used + order.accelerator_share > WHOLE:
                left = WHOLE - shared.used
                raise NoRoom(f"{left / WHOLE} of {model} {shared.index} of node {name!r} is left")
            total = node.accelerators.get(model or "", 0)
            free = (index for index in range(total) if index not in self._taken[name, model])
            index = next(free, None) if shared is None else shared.index
            if index is None:
                raise NoRoom(f"node {name!r} has no {model} free")
            devices.append((name, model, (index,)))
        cpus, port = self._cpus(order), self._port(order.token)
        return Share(tuple(devices), cpus, port, order.accelerator_share, order.accelerator_slots)

    def take(self, share: Share) -> None:
        for node, model, ids in share.devices:
            self._taken[node, model].update(ids)
        for slot, (node, model, ids) in zip(share.slots, share.devices, strict=False):
            self._shared.setdefault((node, model, slot), _Shared(ids[0], 0)).used += share.part
        for cpu in share.cpus:
            self._cpu_load[cpu] = self._cpu_load.get(cpu, 0) + 1
        self._ports.add(share.port)

    def release(self, share: Share) -> None:
        for node, model, ids in share.devices if share.part == WHOLE else ():
            self._taken[node, model].difference_update(ids)
        for slot, (node, model, ids) in zip(share.slots, share.devices, strict=False):
            shared = self._shared[node, model, slot]
            shared.used -= share.part
            if not shared.used:
                del self._shared[node, model, slot]
                self._taken[node, model].difference_update(ids)
        for cpu in share.cpus:
            self._cpu_load[cpu] -= 1
        self._ports.discard(share.port)

    def _cpus(self, order: Order) -> tuple[int, ...]:
        wanted = order.cpus * order.count
        if not self._pins or not 0 < wanted < len(self._cpu_load):
            return ()
        return tuple(sorted(self._cpu_load, key=self._cpu_load.__getitem__)[:wanted])

    def _port(self, token: str) -> int:
        first = zlib.crc32(token.encode())
        for step in range(200):
            port = _FIRST_PORT + (first + step) % _PORTS
            if port not in self._ports and _listenable(port):
                return port
        raise NoRoom("no port is free for the ranks to meet")


def _listenable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
