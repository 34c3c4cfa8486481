"""Processes as the kernel tells them. A process is known by its pid, its start time and the boot: a pid
alone may be somebody else's by now, so nothing is ever signalled by a number that was not checked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from baygrid.centres.folder.process import Process, parse_stat

TICKS = os.sysconf("SC_CLK_TCK")


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def look(pid: int) -> Process | None:
    """None when there is no such process."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        return parse_stat(os.read(descriptor, 4096).decode(errors="replace"))
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)


def everyone() -> Iterator[Process]:
    """All processes of this machine, in one pass. One that ends meanwhile is left out."""
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    for pid in pids:
        with suppress(ValueError):
            process = look(pid)
            if process is not None and process.state != "Z":
                yield process


def owner(pid: int) -> int | None:
    """The user that a process runs as; None when it is gone."""
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116
    except (FileNotFoundError, ProcessLookupError):
        return None


def hold(pid: int, start: int) -> int | None:
    """A file descriptor for exactly this process, readable once it ends. None when it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    process = look(pid)
    if process is None or process.start != start:
        os.close(descriptor)
        return None
    return descriptor


def signal_one(process: Process, number: int) -> None:
    """Signals this process and no later one of the same pid."""
    descriptor = hold(process.pid, process.start)
    if descriptor is not None:
        try:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def signal_group(leader: int, number: int) -> None:
    """Only for a leader that is known to live, or not to have been waited for."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def group_exists(leader: int) -> bool:
    """Whether anything, even a zombie, is left in the group."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def carries(pid: int, marker: bytes) -> bool:
    """Whether the process was started with this entry in its environment."""
    try:
        return marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def shared_kib(pid: int) -> int:
    """Memory with shared pages divided among their users: exact, but too slow for every second."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def reap(pid: int) -> float | None:
    """Waits for a child that has ended: its cpu seconds, with its children's. None: it is not ours to
    wait for."""
    try:
        waited, _, use = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return use.ru_utime + use.ru_stime if waited else None
