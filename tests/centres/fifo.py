"""A small real engine: processes of this machine in one queue, first in, first out. And one that goes wrong.

It moves when it is asked (that is every few milliseconds in tests) and lives as long as the test, so it
outlives the agents that restart over it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from baygrid.centres.engine import EngineSilent, Entrance, Launch, Outside, Sight, Stand, Submission, Task
from baygrid.centres.local import processes
from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport, Order, PartitionReport
from tests.centres.site import NODES, PARTITION

CPUS, DEVICES = 8, 8
BESIDE = Path(__file__).with_name("beside.py")
GANG = Path(__file__).with_name("gang.py")
LAUNCH = Launch(
    id="${FIFO_ID}",
    head="127.0.0.1",
    rank="${FIFO_RANK-0}",
    each=f'{sys.executable} {GANG} "$_bg_ranks" sh "$_bg_script" rank',
    keep=("CUDA_VISIBLE_DEVICES", "FIFO_*"),
)


def now() -> Instant:
    return time.time_ns() // 1_000_000


@dataclass
class Held:
    task: Task
    id: str
    stand: Stand = Stand.WAITING
    process: subprocess.Popen | None = None
    nodes: tuple[str, ...] = ()
    devices: tuple[int, ...] = ()
    cause: str | None = None
    code: int | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    cpu_seconds: float = 0.0
    peak_mib: int = 0

    def sight(self) -> Sight:
        return Sight(
            self.task.name, self.id, self.stand, self.stand.value.upper(), nodes=self.nodes,
            exit_code=self.code, cause=self.cause, started_at=self.started_at, ended_at=self.ended_at,
            cpu_seconds=self.cpu_seconds, peak_memory_mib=self.peak_mib,
        )  # fmt: skip


@dataclass
class Node:
    cpus: int = CPUS
    devices: set[int] = field(default_factory=lambda: set(range(DEVICES)))


class Fifo:
    """`Engine`. `lists_ended`: its list has ended tasks, too; else only its accounting."""

    def __init__(self, *, lists_ended: bool = False, launch: Launch = LAUNCH) -> None:
        self.held: list[Held] = []
        self.submitted: list[str] = []
        self.looks = 0
        self.calls: Counter[str] = Counter()
        self.forgotten: list[str] = []
        self._launch, self._lists_ended = launch, lists_ended
        self._nodes = {name: Node() for name in NODES}
        self._lock = threading.RLock()

    # Engine

    @property
    def launch(self) -> Launch:
        return self._launch

    def capabilities(self) -> frozenset[str]:
        return frozenset({"gang", "accelerators", "checkpoint", "exec"})

    def inventory(self) -> tuple[PartitionReport, ...]:
        nodes = tuple(NodeReport(name, CPUS, 8192, {"H100": DEVICES}) for name in NODES)
        return (PartitionReport(PARTITION, nodes),)

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Submission]:
        with self._lock:
            answers = {}
            for task in tasks:
                self.submitted.append(task.name)
                if task.order.partition != PARTITION:
                    answers[task.name] = Submission(refusal=f"no partition {task.order.partition!r}")
                    continue
                held = Held(task, str(len(self.held) + 1))
                self.held.append(held)
                answers[task.name] = Submission(held.id)
            self.move()
            return answers

    def look(self) -> Sequence[Sight]:
        with self._lock:
            self.looks += 1
            self.move()
            return [one.sight() for one in self.held if self._lists_ended or one.stand is not Stand.ENDED]

    def account(self, names: Collection[str], since: Instant) -> Sequence[Sight]:
        with self._lock:
            self.move()
            return [one.sight() for one in self.held if one.task.name in names]

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        with self._lock:
            self.move()
            wanted = {sight.id for sight in sights}
            for one in self.held:
                if one.id in wanted and one.stand is not Stand.ENDED:
                    self.tell(one, name, "cancelled" if name == "KILL" else None)
            self.move()

    def forget(self, sights: Sequence[Sight]) -> None:
        with self._lock:
            self.forgotten += [sight.name for sight in sights]

    def waits(self, shapes: Sequence[Order]) -> Sequence[int | None]:
        return [None] * len(shapes)

    def outside(self, since: Instant, until: Instant) -> Sequence[Outside]:
        return ()

    def entrance(self, id: str, rank: int, terminal: bool) -> Entrance:
        with self._lock:
            self.move()
            for one in self.held:
                if one.id == id and one.stand is Stand.RUNNING and one.process is not None:
                    argv = (sys.executable, str(BESIDE), str(one.process.pid))
                    return Entrance(argv, {"PATH": os.environ["PATH"], "ENGINE_SECRET": "not for jobs"})
        raise LookupError("it does not run")

    # What happens to tasks

    def tell(self, one: Held, name: str, cause: str | None = None) -> None:
        if one.stand is Stand.WAITING and name == "KILL":
            one.stand, one.cause, one.ended_at = Stand.ENDED, cause, now()
        elif one.process is not None:
            one.cause = one.cause or cause
            for process in processes.everyone():
                if process.session == one.process.pid:
                    processes.signal_one(process, getattr(signal, f"SIG{name}"))

    def find(self, name: str) -> list[Held]:
        with self._lock:
            self.move()
            return [one for one in self.held if one.task.name == name]

    def stop_all(self) -> None:
        """Returns when nothing of it is left."""
        with self._lock:
            for one in sorted(self.held, key=lambda one: one.stand is Stand.RUNNING):  # or the next begins
                if one.stand is not Stand.ENDED:
                    self.tell(one, "KILL", "cancelled")
            while any(one.stand is not Stand.ENDED for one in self.held):
                self.move()
                time.sleep(0.002)

    def move(self) -> None:
        for one in self.held:
            if one.stand is Stand.RUNNING:
                self._reap(one)
        for one in self.held:
            if one.stand is Stand.WAITING and not self._began(one):
                break

    def _reap(self, one: Held) -> None:
        assert one.process is not None
        if one.started_at is not None and now() - one.started_at > one.task.limit_s * 1000:
            self.tell(one, "KILL", "time-limit")
        pid, status, use = os.wait4(one.process.pid, os.WNOHANG)
        if not pid:
            return
        one.process.returncode = one.code = os.waitstatus_to_exitcode(status)
        self.tell(one, "KILL")  # what it left behind
        one.stand, one.ended_at = Stand.ENDED, now()
        one.cpu_seconds, one.peak_mib = use.ru_utime + use.ru_stime, use.ru_maxrss // 1024
        for name in one.nodes:
            self._nodes[name].cpus += one.task.order.cpus
            self._nodes[name].devices.update(one.devices)

    def _began(self, one: Held) -> bool:
        order = one.task.order
        free = [
            name
            for name, node in self._nodes.items()
            if node.cpus >= order.cpus and len(node.devices) >= order.accelerators
        ]
        if len(free) < order.count:
            return False
        one.nodes = tuple(free[: order.count])
        one.devices = tuple(sorted(self._nodes[one.nodes[0]].devices)[: order.accelerators])
        for name in one.nodes:
            self._nodes[name].cpus -= order.cpus
            self._nodes[name].devices.difference_update(one.devices)
        environ = {"PATH": os.environ["PATH"], "FIFO_ID": one.id, "ENGINE_SECRET": "not for jobs"}
        if one.devices:
            environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, one.devices))
        one.process = subprocess.Popen(
            ["/bin/sh", one.task.script],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd="/",
        )  # fmt: skip
        one.stand, one.started_at = Stand.RUNNING, now()
        return True


class Faulty(Fifo):
    """The same with what can go wrong. `faults`: what the next call of that kind meets, one each."""

    def __init__(self, **given) -> None:
        super().__init__(**given)
        self.faults: list[tuple[str, str]] = []
        self.silent = False
        self.hidden: set[str] = set()
        self.odd: set[str] = set()
        self.all_stopping = False

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Submission]:
        fault = self._fault("submit")
        self.calls["submit"] += 1
        if fault == "lost before":
            raise EngineSilent("the request was lost")
        answers = dict(super().submit(tasks))
        if fault == "lost after":
            raise EngineSilent("the answer was lost")
        if fault == "part":
            answers.popitem()
        return answers

    def look(self) -> Sequence[Sight]:
        if self._fault("look") == "lost":
            raise EngineSilent("no answer")
        shown = [self._shown(one) for one in super().look() if one.name not in self.hidden]
        return [*shown, *shown] if self._fault("list") == "twice" else shown

    def account(self, names: Collection[str], since: Instant) -> Sequence[Sight]:
        self.calls["account"] += 1
        if self._fault("account") == "lost":
            raise EngineSilent("no answer")
        return [self._shown(one) for one in super().account(names, since) if one.name not in self.hidden]

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        fault = self._fault("signal")
        if fault == "lost before":
            raise EngineSilent("the request was lost")
        super().signal(sights, name)
        if fault == "lost after":
            raise EngineSilent("the answer was lost")

    def inventory(self) -> tuple[PartitionReport, ...]:
        self._fault("inventory")
        return super().inventory()

    def _shown(self, sight: Sight) -> Sight:
        if sight.name in self.odd:
            return replace(sight, stand=Stand.UNKNOWN, raw="ODD_STATE")
        if sight.stand is Stand.RUNNING and self.all_stopping:
            return replace(sight, stand=Stand.STOPPING)
        return sight

    def _fault(self, call: str) -> str:
        if self.silent:
            raise EngineSilent("the engine is down")
        for place, (kind, fault) in enumerate(self.faults):
            if kind == call:
                del self.faults[place]
                return fault
        return ""
