"""The network between agents, people and servers: it loses, repeats, delays and reorders messages, and parts
hosts from each other for a while."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from baygrid.ports.messages import Refused, Unreachable
from baygrid.sim.faults import Faults
from baygrid.sim.world import Process, World

Result = bytes | Refused | Unreachable
Reply = Callable[[bytes | Refused], None]


class Host(Protocol):
    """Who takes requests."""

    name: str
    process: Process | None

    def receive(self, who: str, kind: str, body: bytes, reply: Reply) -> None: ...


class Network:
    """Requests go to any of the hosts, as behind a load balancer."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.hosts: list[Host] = []
        self.cut: set[str] = set()
        self._world = world
        self._faults = faults

    def call(
        self, client: Process, who: str, kind: str, body: bytes, timeout: int, done: Callable[[Result], None]
    ) -> None:
        """`done` gets exactly one result, in a step of `client`, unless that dies before."""
        _Call(self, client, who, kind, body, done).send(timeout)

    def delay(self) -> int:
        world = self._world
        if world.chance(self._faults.slow):
            return world.between(500, 20_000)
        return world.between(2, 60)

    def lost(self, who: str) -> bool:
        return who in self.cut or self._world.chance(self._faults.loss)

    def copies(self) -> int:
        return 2 if self._world.chance(self._faults.duplicate) else 1

    def pick(self) -> Host:
        up = [host for host in self.hosts if host.process is not None] or self.hosts
        # Mostly a server that is up: the balancer notices after a while.
        return self._world.rng.choice(up if self._world.rng.random() < 0.8 else self.hosts)

    @property
    def world(self) -> World:
        return self._world


class _Call:
    def __init__(
        self,
        network: Network,
        client: Process,
        who: str,
        kind: str,
        body: bytes,
        done: Callable[[Result], None],
    ) -> None:
        self._network = network
        self._world = network.world
        self._client = client
        self._who = who
        self._kind = kind
        self._body = body
        self._done = done
        self._settled = False

    def send(self, timeout: int) -> None:
        self._world.note(f"sends {self._kind} {zlib.crc32(self._body):08x}")
        self._world.after(timeout, "", lambda: self._settle(Unreachable("no answer in time")), self._client)
        for _ in range(self._network.copies()):
            if not self._network.lost(self._who):
                host = self._network.pick()
                self._world.after(self._network.delay(), "", lambda host=host: self._arrive(host))  # type: ignore[misc]

    def _arrive(self, host: Host) -> None:
        if self._who in self._network.cut:
            return
        process = host.process
        if process is None:
            self._answer(Unreachable("connection refused"))
            return
        what = f"receives {self._kind} of {self._who} {zlib.crc32(self._body):08x}"
        self._world.enter(
            process, what, lambda: host.receive(self._who, self._kind, self._body, self._answer)
        )

    def _answer(self, result: Result) -> None:
        if self._network.lost(self._who):
            return
        self._world.after(self._network.delay(), "", lambda: self._settle(result), self._client)

    def _settle(self, result: Result) -> None:
        if self._settled or (self._who in self._network.cut and not isinstance(result, Unreachable)):
            return
        self._settled = True
        shown = f"{zlib.crc32(result):08x}" if isinstance(result, bytes) else str(result)
        self._world.note(f"gets answer to {self._kind}: {shown}")
        self._done(result)
