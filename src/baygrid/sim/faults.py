"""What goes wrong, how often. Each seed draws its own mixture, because rare faults alone find other bugs than
all at once."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from baygrid.sim.world import Crash, World


@dataclass(slots=True)
class Faults:
    """Probabilities per message, per failpoint or per call; `*_every` mean times in ms, 0 is never."""

    servers: int = 2
    loss: float = 0.0
    duplicate: float = 0.0
    slow: float = 0.0
    server_crash: float = 0.0
    agent_crash: float = 0.0
    disk_crash: float = 0.0
    stall: float = 0.0
    pause: float = 0.0
    centre_error: float = 0.0
    kill_every: int = 0
    partition_every: int = 0
    reboot_every: int = 0
    reinstall_every: int = 0
    skew_ms: int = 0
    usage_every: int = 3_600_000

    @classmethod
    def drawn(cls, rng: Random) -> Faults:
        kind = rng.random()
        if kind < 0.15:
            return cls.leaders()
        return cls.planners() if kind < 0.25 else cls._mixed(rng)

    @classmethod
    def leaders(cls) -> Faults:
        """Two servers that take the lead from each other again and again."""
        return cls(servers=2, server_crash=0.03, stall=0.05)

    @classmethod
    def planners(cls) -> Faults:
        """What was planned is often committed late."""
        return cls(servers=2, pause=0.08, loss=0.02)

    @classmethod
    def _mixed(cls, rng: Random) -> Faults:
        def often(low: float, high: float) -> float:
            return rng.choice((0.0, low, high))

        def every(low: int, high: int) -> int:
            return rng.choice((0, low, high))

        # A journal is never lost beside a power cut that takes the youngest claims: who loses all that was
        # durable, before the server has heard of it, may start twice, and nothing could be done about it.
        reinstalled = rng.random() < 0.25
        return cls(
            servers=rng.choice((1, 2, 2)),
            loss=often(0.02, 0.15),
            duplicate=often(0.02, 0.15),
            slow=often(0.02, 0.10),
            server_crash=often(0.001, 0.006),
            agent_crash=often(0.001, 0.01),
            disk_crash=often(0.01, 0.08),
            stall=often(0.001, 0.01),
            pause=often(0.002, 0.02),
            centre_error=often(0.01, 0.08),
            kill_every=every(20_000, 60_000),
            partition_every=every(15_000, 50_000),
            reboot_every=0 if reinstalled else every(40_000, 120_000),
            reinstall_every=60_000 if reinstalled else 0,
            skew_ms=rng.choice((0, 200, 20_000)),
            usage_every=rng.choice((5_000, 20_000, 3_600_000)),
        )

    def heal(self) -> None:
        """From now on nothing goes wrong any more."""
        self.loss = self.duplicate = self.slow = self.stall = self.pause = self.centre_error = 0.0
        self.server_crash = self.agent_crash = self.disk_crash = 0.0
        self.kill_every = self.partition_every = self.reboot_every = self.reinstall_every = 0


class Failpoints:
    """Where a process may die: every commit, send and receive, write of a journal and call of a driver."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._pausing = 0

    def server(self, name: str, factor: int = 1) -> None:
        """Also the store's own failpoint, in whichever server's step it is reached."""
        if self._world.current is not None and self._world.chance(self._faults.server_crash * factor):
            self._world.note(f"failpoint {name}")
            raise Crash

    def agent(self, name: str) -> None:
        """At a message."""
        self._agent(name, self._faults.agent_crash)

    def disk(self, name: str) -> None:
        """At a write of the journal or a call of the driver; these are rarer."""
        self._agent(name, self._faults.disk_crash)

    def _agent(self, name: str, probability: float) -> None:
        if self._world.chance(probability):
            self._world.note(f"failpoint {name}")
            raise Crash

    def pause(self, factor: int) -> None:
        """Before a server goes on to its store: one thread of it waits its turn while the others go on, or
        all of it is suspended. Never more than two at once, since who paused last resumes first."""
        world, faults = self._world, self._faults
        process = world.current
        if process is None or process.stalled or self._pausing > 1:
            return
        whole = world.chance(faults.stall * factor)
        if not whole and not world.chance(faults.pause * factor):
            return
        longest = world.rng.choice((300, 6_000, 12_000, 40_000))
        self._pausing += 1
        try:
            world.pause(process, world.between(1, longest), whole=whole)
        finally:
            self._pausing -= 1
