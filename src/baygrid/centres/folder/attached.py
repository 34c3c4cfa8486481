"""A command of the agent's machine that a tunnel is attached to: by pipes, or by a terminal that we own."""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import struct
import subprocess
import termios
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from baygrid.centres.folder.users import User
from baygrid.ports import tunnels
from baygrid.ports.tunnels import DATA, END, ERROR, EXIT, SIZE, Frame, Tunnel, packed

PIECE: Final = 64 * 1024
SETSID: Final = "/usr/bin/setsid"


class NotThere(LookupError):
    """Why there is nothing to enter."""


def check_rank(rank: int, ranks: int) -> None:
    """Raises NotThere."""
    if not 0 <= rank < ranks:
        has = "one rank, 0" if ranks == 1 else f"ranks 0 to {ranks - 1}"
        raise NotThere(f"there is no rank {rank}: the job has {has}")


class Attached(ABC):
    """One command. `out` is read by one thread while another brings frames to `take`; `close` ends it."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], tunnel: Tunnel, user: User, cwd: str = "/"
    ) -> None:
        """It leads a session of its own, with the terminal where one is asked for. Raises OSError."""
        self._closing, self._feeding = threading.Lock(), threading.Lock()
        self._over = False
        self._terminal: int | None = None
        self._watched = -1
        """A descriptor that is readable when the attempt has ended, where there is one."""
        other, given = -1, subprocess.PIPE
        if tunnel.terminal:
            self._terminal, other = pty.openpty()
            given = other
            _resize(self._terminal, tunnel.rows, tunnel.columns)
            os.fchown(other, os.geteuid() if user.uid is None else user.uid, -1)
            environ = {**environ, "TERM": tunnel.term}
            argv = [SETSID, "--ctty", "--wait", *argv]
        try:
            self._process = subprocess.Popen(
                argv, bufsize=0, stdin=given, stdout=given, stderr=given, cwd=cwd, env=environ,
                start_new_session=not tunnel.terminal,
                user=user.uid, group=user.gid, extra_groups=user.groups,
            )  # fmt: skip
        except BaseException:
            if self._terminal is not None:
                os.close(self._terminal)
            raise
        finally:
            if other >= 0:
                os.close(other)

    def out(self) -> Iterator[bytes]:
        """Frames, the last of which says how it ended. It ends when the command, or its attempt, has."""
        with selectors.DefaultSelector() as selector:
            if self._watched >= 0:
                selector.register(self._watched, selectors.EVENT_READ)
            streams = self._streams()
            for stream, kind in streams.items():
                selector.register(stream, selectors.EVENT_READ, kind)
            while streams and not self._over:
                ready = selector.select(tunnels.QUIET_S)
                if not ready:
                    yield packed(DATA)
                for key, _ in ready:
                    if key.data is None:
                        self.close()
                        yield from _attempt_ended()
                        return
                    data = _read(key.fd)
                    if data:
                        yield packed(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
                        del streams[key.fd]
        code = self._code()
        if self._stopped_with_attempt(code):
            yield from _attempt_ended()
        elif code is not None:
            yield packed(EXIT, str(code).encode())

    def take(self, frame: Frame) -> None:
        """Of the user's."""
        with self._feeding:
            if not self._over:
                self._take(*frame)

    def close(self) -> None:
        """Ends it and all that it started. From any thread, more than once."""
        with self._closing:
            if self._over:
                return
            self._end()
            with self._feeding:
                self._process.wait()
                self._over = True
                if self._terminal is not None:
                    os.close(self._terminal)
                for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                    if stream is not None:
                        stream.close()
                if self._watched >= 0:
                    os.close(self._watched)

    # What differs

    @abstractmethod
    def _end(self) -> None:
        """Tells all of it to end, and returns when there is no more to do."""

    def _stopped_with_attempt(self, code: int | None) -> bool:
        """Whether it is no end of its own."""
        return False

    # Streams

    def _code(self) -> int | None:
        """Not waited for yet: while its number is its own, so is its session's. None: it was closed."""
        try:
            ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return None
        assert ended is not None
        return ended.si_status if ended.si_code == os.CLD_EXITED else 128 + ended.si_status

    def _streams(self) -> dict[int, bytes]:
        if self._terminal is not None:
            return {self._terminal: DATA}
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return {self._process.stdout.fileno(): DATA, self._process.stderr.fileno(): ERROR}

    def _take(self, kind: bytes, data: bytes) -> None:
        if kind == SIZE and self._terminal is not None:
            rows, _, columns = data.partition(b" ")
            if rows.isdigit() and columns.isdigit():
                _resize(self._terminal, min(int(rows), 10_000), min(int(columns), 10_000))
        elif kind == DATA:
            with suppress(OSError):  # it reads no more
                self._feed(data)
        elif kind == END and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _feed(self, data: bytes) -> None:
        if self._terminal is not None:
            descriptor = self._terminal
        else:
            assert self._process.stdin is not None
            if self._process.stdin.closed:
                return
            descriptor = self._process.stdin.fileno()
        while data:
            data = data[os.write(descriptor, data) :]


def _attempt_ended() -> Iterator[bytes]:
    yield packed(ERROR, b"the attempt has ended\r\n")
    yield packed(EXIT, b"137")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, PIECE)
    except OSError:  # a terminal whose last user is gone
        return b""


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
