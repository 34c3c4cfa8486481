"""A connection to a port of this machine that a running attempt listens on, and to no other."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from baygrid.centres.folder.attached import NotThere
from baygrid.centres.folder.files import Files
from baygrid.centres.local import processes
from baygrid.centres.local.beside import owner_of
from baygrid.ports import tunnels
from baygrid.ports.tunnels import DATA, END, Frame, packed

PIECE: Final = 64 * 1024
_LISTEN: Final = "0A"
_REACHED: Final = {"0100007F", "0" * 8, "0" * 32, "0000000000000000FFFF00000100007F"}
"""127.0.0.1 and any address, as the kernel writes them, of both versions of IP."""


class Connection:
    """One connection; used as `Beside` is."""

    def __init__(self, files: Files, port: int) -> None:
        """Raises NotThere, OSError."""
        listening = _inodes(port)
        if not listening & set(_sockets(files)):
            raise NotThere(f"the job does not listen on port {port} of 127.0.0.1")
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.settimeout(None)
        self._sent = threading.Event()

    def out(self) -> Iterator[bytes]:
        """When the job sends no more, the user may still: it is over when both are done, or it broke."""
        while True:
            try:
                while not select.select([self._socket], [], [], tunnels.QUIET_S)[0]:
                    yield packed(DATA)
                data = self._socket.recv(PIECE)
            except (OSError, ValueError):  # it broke, or we have closed it
                yield packed(END)
                return
            if not data:
                break
            yield packed(DATA, data)
        yield packed(END)
        while not self._sent.wait(tunnels.QUIET_S):
            yield packed(DATA)

    def take(self, frame: Frame) -> None:
        kind, data = frame
        try:
            if kind == DATA:
                self._socket.sendall(data)
            elif kind == END:
                self._sent.set()
                self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # the job reads no more, and needs nothing more to be sent
            self._sent.set()

    def close(self) -> None:
        self._sent.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _inodes(port: int) -> set[int]:
    """Sockets that listen on it, reachable at 127.0.0.1 (proc(5), /proc/net/tcp)."""
    found = set()
    lines = [*Path("/proc/net/tcp").read_text().splitlines()[1:]]
    with suppress(FileNotFoundError):
        lines += Path("/proc/net/tcp6").read_text().splitlines()[1:]
    for line in lines:
        fields = line.split()
        address, _, number = fields[1].partition(":")
        if fields[3] == _LISTEN and address in _REACHED and int(number, 16) == port:
            found.add(int(fields[9]))
    return found


def _sockets(files: Files) -> Iterator[int]:
    """Of the processes of the attempt's session."""
    try:
        claim = files.claim()
    except ValueError:
        claim = None
    if claim is None or claim.pid is None:
        raise NotThere("the attempt is not running here")
    leader = processes.look(claim.pid)
    if leader is None or leader.start != claim.start or processes.owner(claim.pid) != owner_of(files):
        raise NotThere("the attempt has just ended")
    for process in processes.everyone():
        if process.session == claim.pid:
            yield from _of_process(process.pid)


def _of_process(pid: int) -> Iterator[int]:
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                target = os.readlink(entry.path)  # noqa: PTH115
                if target.startswith("socket:["):
                    yield int(target[8:-1])
