"""A process that has loaded what readers of tables need, and waits: each piece of work is done in a copy of
it, which is there in milliseconds. It holds no secret and does nothing itself, so no copy knows of another.

It is started when the first is needed, and ends with whoever started it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

_BEAR, _END = b"b", b"e"
_ASKED: Final = struct.Struct(">cq")
"""One letter, and of which process."""
_PID: Final = struct.Struct(">q")
_DEATH: Final = 1
"""PR_SET_PDEATHSIG (prctl(2))."""
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class Born:
    """A copy, with a session of its own: what it hears and what it says."""

    pid: int
    ears: BinaryIO
    mouth: int


class Nursery:
    """Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mother: _Mother | None = None
        atexit.register(self._leave)

    @contextmanager
    def child(self) -> Iterator[Born]:
        """Killed at the end, with whatever it started. Raises OSError when there are too many processes."""
        heard, ears = os.pipe()
        mouth, said = os.pipe()
        with os.fdopen(ears, "wb") as stream:
            try:
                mother, pid = self._born(heard, said)
            finally:
                os.close(heard)
                os.close(said)
            try:
                yield Born(pid, stream, mouth)
            finally:
                self._end(mother, pid)
                os.close(mouth)
                with suppress(BrokenPipeError):
                    stream.flush()

    def _born(self, heard: int, said: int) -> tuple[_Mother, int]:
        with self._lock:
            for _ in range(2):  # somebody may have killed it
                mother = self._mother = self._mother or _started()
                with suppress(OSError):
                    socket.send_fds(mother.line, [_ASKED.pack(_BEAR, 0)], [heard, said])
                    answer = mother.line.recv(_PID.size, socket.MSG_WAITALL)
                    if len(answer) == _PID.size:
                        break
                self._leave()
            else:
                raise OSError("the process that others are copies of does not start")
        (pid,) = _PID.unpack(answer)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return mother, pid

    def _end(self, mother: _Mother, pid: int) -> None:
        with self._lock, suppress(OSError):  # where it is gone its copies are, too
            mother.line.sendall(_ASKED.pack(_END, pid))
            mother.line.recv(1, socket.MSG_WAITALL)

    def _leave(self) -> None:
        if self._mother is not None:
            self._mother.line.close()  # which tells it to end
            self._mother.process.wait()
            self._mother = None


@dataclass(frozen=True, slots=True)
class _Mother:
    process: subprocess.Popen[bytes]
    line: socket.socket


def _started() -> _Mother:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from baygrid.sharing.nursery import main; main()"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
    return _Mother(process, ours)


def _environment() -> dict[str, str]:
    """Of the server's only what holds no secret."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # A copy has one thread only, so there had better be no more to copy.
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """The process that waits."""
    import duckdb

    from baygrid.sharing import child
    from baygrid.sharing.sql import gate  # noqa: F401 - it, and with it all that reads tables

    duckdb.default_connection().close()  # nobody uses it, and it has threads
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as line:
        alive: set[int] = set()
        while True:
            message, given, _, _ = socket.recv_fds(line, _ASKED.size, 2)
            if not message:
                break
            letter, pid = _ASKED.unpack(message)
            if letter == _BEAR:
                born = _copy(line, given, child.main)
                alive |= {born} if born > 0 else set()
                line.sendall(_PID.pack(born))
            else:
                _kill(pid)
                alive.discard(pid)
                line.sendall(_END)
        for pid in alive:
            _kill(pid)


def _copy(line: socket.socket, given: list[int], work: Callable[[], None]) -> int:
    """Its number, or why there is none (an errno, negative)."""
    try:
        pid = os.fork()
    except OSError as error:
        pid = -(error.errno or 1)
    if pid == 0:
        os.setsid()
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
        line.close()
        os.dup2(given[0], 0)
        os.dup2(given[1], 1)
    for each in given:
        os.close(each)
    if pid == 0:
        work()
        os._exit(0)
    return pid


def _kill(pid: int) -> None:
    """It is ours and not waited for yet, so the number is still its own."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
