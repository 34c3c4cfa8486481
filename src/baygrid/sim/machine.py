"""A centre as it really is: nodes, a durable disk with claims, processes that take simulated time.

What is here is the truth that the checker compares the books with. `runs` counts how often an attempt's
command really began, whatever the claims say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport, Order, PartitionReport
from baygrid.sim.world import World

_COMMAND = re.compile(r"work for (\d+) ms, exit (\d+)(, deaf)?")
LOG_EVERY_MS = 7_000
UNSYNCED_MS = 5_000


@dataclass(frozen=True, slots=True)
class Command:
    """What a simulated job does. `deaf`: it ignores TERM."""

    takes_ms: int
    exit_code: int
    deaf: bool = False

    @property
    def text(self) -> str:
        return f"work for {self.takes_ms} ms, exit {self.exit_code}" + (", deaf" if self.deaf else "")

    @classmethod
    def parse(cls, text: str) -> Command:
        match = _COMMAND.fullmatch(text)
        assert match is not None, text
        return cls(int(match[1]), int(match[2]), match[3] is not None)


@dataclass(slots=True)
class Run:
    """One token at the centre: a durable claim, by a wrapper that ran the command or by a stop. Times are the
    centre's own clock. `exit_code` None and not `alive`: it died with its machine, and nobody wrote why.
    `stopped`: the reason of the stop that ended it."""

    order: Order | None
    claimed_at: Instant
    started_at: Instant | None = None
    alive: bool = False
    ended_at: Instant | None = None
    exit_code: int | None = None
    stopped: str = ""
    limited: bool = False
    kill_at: Instant | None = None
    nodes: tuple[str, ...] = ()


@dataclass(slots=True)
class History:
    """What really happened to a token, kept for the checker after the centre forgot it."""

    order: Order
    runs: int = 0
    started_at: Instant | None = None
    ended_at: Instant | None = None
    exit_code: int | None = None
    stopped: str = ""
    limited: bool = False
    interrupted: bool = False
    claim_lost: bool = False
    stranger: bool = False
    log: bytes = b""
    nodes: tuple[str, ...] = ()


@dataclass(slots=True)
class Machine:
    """`began` is called whenever a command really begins. `strangers`: tokens whose orders the agent lost.
    `own_queue`: it chooses nodes itself, first come, first served, and the disk keeps no queue."""

    world: World
    name: str
    jurisdiction: str
    partition: str
    nodes: tuple[NodeReport, ...]
    skew: int = 0
    boot: int = 1
    folders: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    disk: dict[str, Run] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    began: Callable[[Machine, Order], None] = lambda machine, order: None
    own_queue: bool = False
    queue: list[Order] = field(default_factory=list)

    def clock(self) -> Instant:
        return self.world.now + self.skew

    def inventory(self) -> tuple[PartitionReport, ...]:
        return (PartitionReport(self.partition, self.nodes),)

    def alive(self) -> list[Run]:
        return [run for run in self.disk.values() if run.alive]

    # Wrappers and commands

    def spawn(self, order: Order) -> None:
        """A wrapper begins: some time later it claims its token, or finds it claimed and exits."""
        boot = self.boot
        delay = self.world.between(1, 40) if self.world.rng.random() < 0.6 else self.world.between(40, 20_000)
        self.world.after(delay, "", lambda: self._wrap(order, boot))

    def _wrap(self, order: Order, boot: int) -> None:
        if boot != self.boot or order.token not in self.folders:
            return
        if self.claimed(order.token):
            self.world.note(f"{self.name} duplicate of {order.attempt} exits")
            return
        if self.own_queue:
            self.queue.append(order)
            self.admit()
        else:
            self._claim(order, order.nodes)

    def admit(self) -> None:
        """The next in its own queue begin, as far as there is room. What was claimed meanwhile, by a stop or
        by its double, leaves the queue."""
        while self.queue:
            first = self.queue[0]
            known = first.token in self.folders and not self.claimed(first.token)
            nodes = self._room(first) if known else ()
            if nodes is None:
                return
            del self.queue[0]
            if known:
                self._claim(first, nodes)

    def _room(self, order: Order) -> tuple[str, ...] | None:
        """The first nodes with room; devices are not shared here."""
        free = {
            node.name: [node.cpus, node.memory_mib, sum(node.accelerators.values())] for node in self.nodes
        }
        for run in self.alive():
            assert run.order is not None
            for name in run.nodes:
                for axis, amount in enumerate(_each(run.order)):
                    free[name][axis] -= amount
        fitting = [
            name
            for name, has in free.items()
            if all(amount <= left for amount, left in zip(_each(order), has, strict=True))
        ]
        return tuple(fitting[: order.count]) if len(fitting) >= order.count else None

    def _claim(self, order: Order, nodes: tuple[str, ...]) -> None:
        now = self.clock()
        self.disk[order.token] = Run(order, now, started_at=now, alive=True, nodes=nodes)
        self._begin(order, now)

    def claimed(self, token: str) -> bool:
        """Of all who ask before they take it, one is told False: the claim is atomic."""
        return token in self.disk

    def _begin(self, order: Order, now: Instant) -> None:
        self.world.note(f"{self.name} command of {order.attempt} begins")
        history = self.histories.setdefault(order.token, History(order))
        history.runs += 1
        history.started_at, history.nodes = now, self.disk[order.token].nodes
        command, boot = Command.parse(order.run), self.boot
        self.world.after(command.takes_ms, "", lambda: self._exit(order.token, boot, command.exit_code))
        self.began(self, order)

    def _exit(self, token: str, boot: int, code: int) -> None:
        run = self.disk.get(token)
        if boot != self.boot or run is None or not run.alive or run.order is None:
            return
        run.alive = False
        run.ended_at, run.exit_code = self.clock(), code
        history = self.histories[token]
        history.ended_at, history.exit_code = run.ended_at, code
        history.stopped, history.limited = run.stopped, run.limited
        history.log = self.log(token)
        self.world.note(f"{self.name} command of {run.order.attempt} exits {code}")
        self.admit()

    def terminate(self, token: str, grace_ms: int) -> None:
        run = self.disk[token]
        assert run.order is not None
        run.kill_at = self.clock() + grace_ms
        if not Command.parse(run.order.run).deaf:
            boot = self.boot
            delay = self.world.between(1, 2_000)
            self.world.after(delay, "", lambda: self._exit(token, boot, 143))

    def kill(self, token: str) -> None:
        self._exit(token, self.boot, 137)

    def reboot(self) -> None:
        """Everything that runs dies without a word. The disk stays, but a power cut may take what was written
        last: a claim counts as sure only for as long as the machine runs."""
        self.world.note(f"{self.name} reboots")
        self.boot += 1
        self.queue.clear()
        now = self.clock()
        for token, run in list(self.disk.items()):
            if run.alive:
                run.alive = False
                history = self.histories[token]
                history.interrupted, history.log = True, self.log(token)
                run.ended_at = history.ended_at = self._last_sign(run, now)
            if now - run.claimed_at < UNSYNCED_MS and self.world.rng.random() < 0.5:
                del self.disk[token]
                if token in self.histories:
                    self.histories[token].claim_lost = True

    def _last_sign(self, run: Run, now: Instant) -> Instant:
        """When it last wrote something: nobody wrote down when it died."""
        assert run.started_at is not None
        return now - (now - run.started_at) % LOG_EVERY_MS

    def forget(self, token: str) -> None:
        """Folder and claim go; a wrapper that comes late finds nothing that it could claim."""
        run = self.disk.get(token)
        if run is None or not run.alive:
            self.disk.pop(token, None)
            self.folders.discard(token)

    def log(self, token: str) -> bytes:
        """A line for each stretch of time that it has run; what it wrote at last stays."""
        history, run = self.histories.get(token), self.disk.get(token)
        if history is None or run is None or run.started_at is None:
            return b""
        if not run.alive and history.log:
            return history.log
        lines = (self.clock() - run.started_at) // LOG_EVERY_MS + 1
        return b"".join(b"%s line %d\n" % (history.order.attempt.encode(), n) for n in range(lines))


def _each(order: Order) -> tuple[int, int, int]:
    """What it takes of each of its nodes."""
    return order.cpus, order.memory_mib, order.accelerators
