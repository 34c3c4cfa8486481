"""`ray start` and all that comes of it, ended by pid: `ray stop` would end every Ray of the machine.

What `ray start` leaves behind becomes a child of this process, and so do the orphans of those: whatever is
below this process is the cluster's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from baygrid.workloads.processes import below

LOOK_S: Final = 0.05
_SET_CHILD_SUBREAPER: Final = 36  # prctl(2)
_LAST_LINES: Final = 20


class RayFailed(Exception):
    """`ray start` did not; the message has its last lines."""


def adopt_orphans() -> None:
    """From now on. Linux only."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_ray(ray: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """Returns when this node is part of the cluster. Its processes are in a group of their own: a signal for
    the job's program, which may want to save something with their help, does not end them. Raises
    RayFailed."""
    environ = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    with tempfile.TemporaryFile() as said:  # not a pipe: what stays behind may hold it for ever
        done = subprocess.run(
            [ray, *arguments],
            env={**environ, **variables, "RAY_USAGE_STATS_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=0,
            check=False,
        )
        if done.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines()
            raise RayFailed("\n".join(lines[-_LAST_LINES:]))


def end_all() -> None:
    """Everything below this process, at once: nothing of a cluster outlives its program. Returns when nothing
    is left."""
    _reap()
    while left := below(os.getpid()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_S)
        _reap()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
