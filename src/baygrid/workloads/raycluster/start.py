"""The two lives of `baygrid ray start`: at the first rank a keeper stays behind and ends the cluster when the
program is over; every other rank is a node of it until then."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import socket
import stat
import tempfile
from pathlib import Path
from typing import Final

from baygrid.workloads.raycluster.guest import Guest
from baygrid.workloads.raycluster.host import Host
from baygrid.workloads.raycluster.meeting import NobodyCame, private
from baygrid.workloads.raycluster.place import Cluster, Place, start_head, start_node, variables
from baygrid.workloads.raycluster.processes import RayFailed, adopt_orphans, end_all, run_ray

READY: Final = b"ready"
FAILURES: Final = (RayFailed, NobodyCame, OSError)


def lead(place: Place, ray: str, watched: int) -> Cluster:
    """Starts the head, and a keeper that ends the cluster with the process `watched`. Returns when all ranks
    have joined. Raises RayFailed."""
    host = Host(place)
    cluster = Cluster(
        address=f"{socket.gethostbyname(place.first)}:{_free_port()}",
        # Not in the job's own place for these: the paths of sockets are short.
        temporary=tempfile.mkdtemp(prefix="baygrid-ray-", dir="/tmp"),
        token=str(place.folder / "token"),
    )
    private(Path(cluster.token), secrets.token_hex(32))
    ours, theirs = os.pipe()
    if not os.fork():
        os.close(ours)
        _keep(place, ray, cluster, host, watched, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        answer = told.read()
    if answer != READY:
        raise RayFailed(answer.decode(errors="replace"))
    return cluster


def _keep(place: Place, ray: str, cluster: Cluster, host: Host, watched: int, told: int) -> None:
    """Never returns. It holds nothing of the caller: who reads the caller's output sees its end."""
    code = 1
    try:
        os.dup2(2, 1)
        os.setpgid(0, 0)
        _outlive_signals()
        adopt_orphans()
        watch = os.pidfd_open(watched)
        run_ray(ray, start_head(place, cluster, (_free_port(), _free_port())), variables(cluster))
        host.invite(cluster)
        host.wait(lambda: not _ended(watch, 0))
        os.write(told, READY)
        os.close(told)
        _ended(watch, None)
        code = 0
    except FAILURES as error:
        os.write(told, str(error).encode())
    finally:
        host.close()
        end_all()
        shutil.rmtree(cluster.temporary, ignore_errors=True)
        os._exit(code)


def follow(place: Place, ray: str) -> None:
    """Joins, and returns when the cluster is over and nothing of it is left on this node. Raises RayFailed,
    NobodyCame."""
    _outlive_signals()
    adopt_orphans()
    guest = Guest(place)
    try:
        run_ray(ray, start_node(place, guest.cluster, (_free_port(),)), variables(guest.cluster))
        guest.joined()
        guest.wait()
    finally:
        guest.close()
        end_all()
        shutil.rmtree(guest.cluster.temporary, ignore_errors=True)


def caller() -> int:
    """The process whose end is the program's end: the shell that called us. In `$(baygrid ray start)` a shell
    may stand in between, which writes to the same pipe as we do."""
    ours, pid = os.fstat(1), os.getppid()
    while stat.S_ISFIFO(ours.st_mode) and pid > 1:
        try:
            theirs = Path(f"/proc/{pid}/fd/1").stat()
        except OSError:
            break
        if (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino):
            break
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    return pid


def _outlive_signals() -> None:
    """A job that is told to stop may want its cluster while it saves; KILL comes after."""
    for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2"):
        signal.signal(getattr(signal, f"SIG{name}"), lambda number, frame: None)


def _ended(watch: int, timeout_ms: int | None) -> bool:
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(timeout_ms))


def _free_port() -> int:
    """Nobody listens on it now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port
