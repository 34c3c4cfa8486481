"""How much memory a run needs: of this process and all below it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from baygrid.workloads.processes import below

EVERY_S: Final = 1.0
"""A machine may have thousands of processes, and a run thousands of shards a second."""


class Peak:
    """Called now and then; keeps the largest sum of what each process had at its largest, in MiB."""

    def __init__(self) -> None:
        self.mib = 1
        self._next = float("-inf")

    def __call__(self) -> None:
        if (now := time.perf_counter()) >= self._next:
            self._next = now + EVERY_S
            own = os.getpid()
            self.mib = max(self.mib, -(-sum(map(_largest_kib, {own, *below(own)})) // 1024))


def _largest_kib(pid: int) -> int:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
