"""Faults that come from outside, at random times: kills, partitions, reboots. Dead processes come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from baygrid.sim.agent import SimAgent
from baygrid.sim.faults import Faults
from baygrid.sim.network import Network
from baygrid.sim.server import SimServer
from baygrid.sim.world import World

LOOK_MS = 100


class Chaos:
    """`heal` ends it; what is down then comes back soon."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        network: Network,
        servers: Sequence[SimServer],
        agents: Sequence[SimAgent],
    ) -> None:
        self._world = world
        self._faults = faults
        self._network = network
        self._agents = agents
        self._hosts: tuple[SimServer | SimAgent, ...] = (*servers, *agents)
        self._healed = False
        self._returning: set[str] = set()

    def begin(self) -> None:
        self._watch()
        self._now_and_then("kill_every", self._kill)
        self._now_and_then("partition_every", self._part)
        self._now_and_then("reboot_every", self._reboot)
        self._now_and_then("reinstall_every", self._reinstall)

    def heal(self) -> None:
        self._world.note("the region heals")
        self._healed = True
        self._faults.heal()
        self._network.cut.clear()

    def _now_and_then(self, field: str, do: Callable[[], None]) -> None:
        every = int(getattr(self._faults, field))
        if not every:
            return
        delay = int(self._world.rng.expovariate(1 / every))

        def happen() -> None:
            if not self._healed:
                do()
                self._now_and_then(field, do)

        self._world.after(delay, "", happen)

    def _watch(self) -> None:
        """Whoever is down comes back after a while, as by a supervisor."""
        for host in self._hosts:
            if host.process is None and host.name not in self._returning:
                self._returning.add(host.name)
                delay = self._world.between(
                    10, 500 if self._healed or self._world.rng.random() < 0.5 else 15_000
                )
                self._world.after(delay, "", lambda host=host: self._return(host))  # type: ignore[misc]
        self._world.after(LOOK_MS, "", self._watch)

    def _return(self, host: SimServer | SimAgent) -> None:
        self._returning.discard(host.name)
        host.start()

    def _kill(self) -> None:
        host = self._world.rng.choice(self._hosts)
        if host.process is None:
            return
        if isinstance(host, SimServer) and self._world.rng.random() < 0.3:
            self._world.enter(host.process, "is told to stop", host.resign)
            return
        self._world.note(f"kill {host.process.name}")
        host.process.die()

    def _part(self) -> None:
        """An agent, or the people, cannot reach the servers for a while."""
        name = self._world.rng.choice([agent.name for agent in self._agents])
        if name in self._network.cut:
            return
        self._world.note(f"partition of {name}")
        self._network.cut.add(name)
        length = self._world.between(2_000, 60_000)

        def rejoin() -> None:
            self._world.note(f"partition of {name} ends")
            self._network.cut.discard(name)

        self._world.after(length, "", rejoin)

    def _reboot(self) -> None:
        agent = self._world.rng.choice(self._agents)
        agent.machine.reboot()
        if agent.process is not None:
            agent.process.die()

    def _reinstall(self) -> None:
        """An agent loses its journal. Its centre has not lost its claims."""
        agent = self._world.rng.choice(self._agents)
        self._world.note(f"the journal of {agent.name} is lost")
        agent.lose_journal()
