"""What commands cost: the CPU seconds of all processes they began, and the memory of the largest of them.

`cost` runs this file as a small program of its own, which begins the commands and inherits whatever they
leave behind (PR_SET_CHILD_SUBREAPER, prctl(2)), so that every descendant is counted when it is waited for:
workers of an engine that were let go, too. But Ray's raylet ignores SIGCHLD, and what its workers used is
then added to nobody (wait(2)); so all descendants are looked at as they run, too, and the greater figure
holds. It is small because a process counts as at least as large as the one that began it was (getrusage(2),
ru_maxrss)."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LOOK = 0.2
"""Seconds between two looks: the last of a process may be missed in that sum."""

GRACE = 15.0
"""Seconds that processes may live on after the command which began them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` and `wall` in seconds, `peak` in MiB; `said`: what each command wrote to its output."""

    cpu: float
    wall: float
    peak: float
    said: tuple[str, ...]


def cost(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Cost:
    """Of the commands, run all at once. Raises RuntimeError where one fails."""
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / str(number) for number in range(len(commands))]
        asked = json.dumps([[list(command), str(out)] for command, out in zip(commands, outs, strict=True)])
        ended = subprocess.run(
            [sys.executable, "-I", "-S", __file__], input=asked, env=environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            raise RuntimeError(f"{' '.join(commands[0])}\n{ended.stderr[-4000:]}")
        said = json.loads(ended.stdout)
        return Cost(said["cpu"], said["wall"], said["peak"], tuple(out.read_text() for out in outs))


def _main() -> int:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    commands = json.load(sys.stdin)
    begun = time.perf_counter()
    running = set()
    for command, out in commands:
        with Path(out).open("wb") as file:
            running.add(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file).pid)
    failed = False
    cpu = peak = wall = 0.0
    signal.signal(signal.SIGALRM, _end_the_rest)
    looked: dict[tuple[int, int], tuple[float, float]] = {}
    threading.Thread(target=_look, args=(looked,), daemon=True).start()
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
        if pid in running:
            running.remove(pid)
            failed = failed or status != 0
            wall = time.perf_counter() - begun
            if not running:
                signal.setitimer(signal.ITIMER_REAL, GRACE, 1.0)
    cpu = max(cpu, sum(seconds for seconds, _ in list(looked.values())))
    peak = max([peak, *(size for _, size in list(looked.values()))])
    json.dump({"cpu": cpu, "wall": wall, "peak": peak}, sys.stdout)
    return int(failed)


def _look(looked: dict[tuple[int, int], tuple[float, float]]) -> None:
    """Notes again and again the CPU seconds and the greatest MiB of each descendant, by its number and its
    start (proc(5))."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE") / 2**20
    while True:
        parents, found = {}, {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                pid = int(stat.parent.name)
                parents[pid] = int(fields[1])
                used = (int(fields[11]) + int(fields[12])) / tick, int(fields[21]) * page
                found[pid, int(fields[19])] = used
        for one, (seconds, size) in found.items():
            above = parents[one[0]]
            while above in parents and above != os.getpid():
                above = parents[above]
            if above == os.getpid():
                looked[one] = seconds, max(size, looked.get(one, (0.0, 0.0))[1])
        time.sleep(LOOK)


def _end_the_rest(*_: object) -> None:
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_main())
