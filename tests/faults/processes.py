"""Real servers and agents under a test's hand: started by the zygote, watched, ended by their id."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
Hit = tuple[str, int]


@dataclass(frozen=True)
class Strike:
    """What happens to a process at the `hit`-th time that it comes by the failpoint `name`; where `armed` is
    a path, at the `hit`-th time since there is such a file."""

    name: str
    hit: int
    signal: str = "SIGKILL"
    armed: str | None = None


class Impatient(AssertionError):
    """What was waited for did not happen; the message names it."""


@dataclass(eq=False)
class Process:
    """One server or agent from its start to its end. `hits` as they came, each with when it came."""

    id: int
    kind: str
    settings: dict[str, Any]
    stderr: Path
    pid: int = 0
    ready: str | None = None
    exited: int | None = None
    struck: bool = False
    hits: list[tuple[Hit, float]] = field(default_factory=list)
    on_exit: Callable[[Process], None] = lambda process: None

    @property
    def up(self) -> bool:
        return self.ready is not None and self.exited is None

    def __str__(self) -> str:
        end = "" if self.exited is None else f", ended with {self.exited}"
        last = f", last at {self.hits[-1][0]}" if self.hits else ""
        return f"{self.kind} {self.id} (pid {self.pid}{end}{last}, see {self.stderr})"


class Processes:
    """The zygote and its children. A thread reads what it tells; `changed` is notified with every line."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._known: dict[int, Process] = {}
        self._numbers = 0
        # A session of its own: Ctrl-C is for the test, which then ends everything in order.
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._commands: IO[bytes] = self._zygote.stdin
        self._news: IO[bytes] = self._zygote.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Everything that was started ends with it."""
        self._commands.close()
        self._zygote.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self._news.close()

    def start(
        self,
        kind: str,
        settings: dict[str, Any],
        stderr: Path,
        strike: Strike | None = None,
        on_exit: Callable[[Process], None] = lambda process: None,
    ) -> Process:
        """`on_exit` is called with `changed` held."""
        with self.changed:
            self._numbers += 1
            process = Process(self._numbers, kind, settings, stderr, on_exit=on_exit)
            self._known[process.id] = process
            struck = None if strike is None else asdict(strike)
            self._send(
                do="start", id=process.id, kind=kind, settings=settings, stderr=str(stderr), strike=struck
            )
        return process

    def send(self, process: Process, number: signal.Signals) -> None:
        """Nothing happens to one that has ended."""
        with self.changed:
            self._send(do="signal", id=process.id, signal=number.name)

    def end(self, process: Process, number: signal.Signals = signal.SIGKILL) -> int:
        """Its exit, which is not told to `on_exit`: it was wanted."""
        with self.changed:
            process.on_exit = lambda process: None
            self._send(do="signal", id=process.id, signal=number.name)
        self.wait(lambda: process.exited is not None, f"the end of {process}")
        assert process.exited is not None
        return process.exited

    def wait(self, happened: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Until `happened`, which is asked after every change. Raises Impatient."""
        with self.changed:
            if not self.changed.wait_for(happened, patience_s):
                raise Impatient(f"{what} did not come within {patience_s:g} s")

    def _send(self, **command: Any) -> None:
        self._commands.write(json.dumps(command).encode() + b"\n")
        self._commands.flush()

    def _read(self) -> None:
        for line in self._news:
            told = json.loads(line)
            if "id" not in told:
                continue
            with self.changed:
                process = self._known[told["id"]]
                if "pid" in told:
                    process.pid = told["pid"]
                elif "ready" in told:
                    process.ready = told["ready"]
                elif "hit" in told:
                    process.hits.append(((told["hit"][0], told["hit"][1]), time.monotonic()))
                elif "struck" in told:
                    process.struck = True
                elif "exited" in told:
                    process.exited = told["exited"]
                    process.on_exit(process)
                self.changed.notify_all()


def quiet_port() -> int:
    """A port that nobody has and that the system gives nobody by itself: a server that restarts finds it
    free again, and a client that asks for it meanwhile cannot meet itself there."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
