"""A command beside a running attempt: as its user, in its folder, with its environment, no longer than it.

Any thread may use this: it reads the attempt's folder and the kernel, and nothing of the driver's memory.
"""

from __future__ import annotations

import fcntl
import os
import pty
import pwd
import selectors
import signal
import stat
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from baygrid.centres.folder.files import Files
from baygrid.centres.folder.process import Process
from baygrid.centres.folder.secrets import FOLDER
from baygrid.centres.local import processes
from baygrid.ports import tunnels
from baygrid.ports.tunnels import DATA, END, ERROR, EXIT, SIZE, Frame, Tunnel, packed

PIECE: Final = 64 * 1024
LOOKS, LOOK_S = 40, 0.05
"""How often, and after how long again, it is looked whether what was told to end has."""
SETSID: Final = "/usr/bin/setsid"


class NotThere(LookupError):
    """Why there is nothing to enter."""


class Beside:
    """One command. `out` is read by one thread while another brings frames to `take`; `close` ends it."""

    def __init__(self, files: Files, tunnel: Tunnel) -> None:
        """Raises NotThere, OSError."""
        self._closing, self._feeding = threading.Lock(), threading.Lock()
        self._leader, environ = _leader(files)
        try:
            self._start(files, tunnel, environ)
        except BaseException:
            os.close(self._leader)
            raise

    def _start(self, files: Files, tunnel: Tunnel, environ: dict[str, str]) -> None:
        uid = user_of(files)
        argv = list(tunnel.command) or [environ.get("SHELL", "/bin/sh"), *(["-i"] if tunnel.terminal else [])]
        user, group, groups = _user(uid)
        self._terminal: int | None = None
        other, given = -1, subprocess.PIPE
        if tunnel.terminal:
            self._terminal, other = pty.openpty()
            given = other
            _resize(self._terminal, tunnel.rows, tunnel.columns)
            os.fchown(other, uid, -1)
            environ = environ | {"TERM": tunnel.term}
            argv = [SETSID, "--ctty", "--wait", *argv]  # its own session, with the terminal
        try:
            self._process = subprocess.Popen(
                argv, bufsize=0, stdin=given, stdout=given, stderr=given, cwd=files.path("work"), env=environ,
                start_new_session=not tunnel.terminal, user=user, group=group, extra_groups=groups,
            )  # fmt: skip
        except BaseException as error:
            if self._terminal is not None:
                os.close(self._terminal)
            if isinstance(error, FileNotFoundError):
                raise NotThere(f"there is no command {argv[0]!r}") from None
            raise
        finally:
            if other >= 0:
                os.close(other)

    def out(self) -> Iterator[bytes]:
        """Frames, the last of which says how it ended. It ends when the command, or its attempt, has."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._leader, selectors.EVENT_READ)
            for stream, kind in self._streams():
                selector.register(stream, selectors.EVENT_READ, kind)
            while len(selector.get_map()) > 1:
                ready = selector.select(tunnels.QUIET_S)
                if not ready:
                    yield packed(DATA)
                for key, _ in ready:
                    if key.data is None:
                        self.close()
                        yield packed(ERROR, b"the attempt has ended\r\n")
                        yield packed(EXIT, b"137")
                        return
                    data = _read(key.fd)
                    if data:
                        yield packed(key.data, data)
                    else:
                        selector.unregister(key.fileobj)
        # Not waited for yet: while its number is its own, so is its session's.
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else 128 + ended.si_status
        yield packed(EXIT, str(code).encode())

    def _streams(self) -> list[tuple[int, bytes]]:
        if self._terminal is not None:
            return [(self._terminal, DATA)]
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return [(self._process.stdout.fileno(), DATA), (self._process.stderr.fileno(), ERROR)]

    def take(self, frame: Frame) -> None:
        """Of the user's."""
        with self._feeding:
            if self._leader >= 0:
                self._take(*frame)

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
        if self._terminal is None:
            assert self._process.stdin is not None
            descriptor = self._process.stdin.fileno()
        else:
            descriptor = self._terminal
        while data:
            data = data[os.write(descriptor, data) :]

    def close(self) -> None:
        """Ends it and all that it started in its session: first as a terminal does that is closed."""
        with self._closing:
            if self._leader < 0:
                return
            for number in (signal.SIGHUP, signal.SIGKILL):
                for _ in range(LOOKS):
                    left = self._session()
                    for process in left:
                        processes.signal_one(process, number)
                    if not left:
                        break
                    time.sleep(LOOK_S)
            with self._feeding:
                self._process.wait()
                os.close(self._leader)
                self._leader = -1
                if self._terminal is not None:
                    os.close(self._terminal)
                for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                    if stream is not None:
                        stream.close()

    def _session(self) -> list[Process]:
        return [one for one in processes.everyone() if one.session == self._process.pid]


def _leader(files: Files) -> tuple[int, dict[str, str]]:
    """A descriptor of the attempt's supervisor, readable when it has ended, and the job's environment."""
    try:
        claim = files.claim()
    except ValueError:
        claim = None
    if claim is None or claim.pid is None or claim.boot != processes.boot_id():
        raise NotThere("the attempt is not running here")
    descriptor = processes.hold(claim.pid, claim.start)
    if descriptor is None or processes.owner(claim.pid) != user_of(files):
        if descriptor is not None:
            os.close(descriptor)
        raise NotThere("the attempt has just ended")
    pairs = Path(f"/proc/{claim.pid}/environ").read_bytes().split(b"\0")
    environ = dict(pair.decode(errors="surrogateescape").split("=", 1) for pair in pairs if b"=" in pair)
    return descriptor, environ | _secrets(files)


def user_of(files: Files) -> int:
    """Whom the attempt runs as: to him its folder belongs, and he cannot put another in its place."""
    return os.stat(files.dir).st_uid  # noqa: PTH116


def _secrets(files: Files) -> dict[str, str]:
    """Their values are in no environment that the kernel shows. The job may have put anything in the place of
    its files: no link is followed, and what is not its user's own is left alone."""
    found: dict[str, str] = {}
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        folder = os.open(files.path(FOLDER), flags | os.O_DIRECTORY)
    except OSError:
        return found
    try:
        for name in os.listdir(folder):  # noqa: PTH208 - of this very folder
            with (
                suppress(OSError, UnicodeDecodeError),
                os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file,
            ):
                it = os.fstat(file.fileno())
                if stat.S_ISREG(it.st_mode) and it.st_uid == user_of(files) and it.st_nlink == 1:
                    found[name] = file.read().decode()
    finally:
        os.close(folder)
    return found


def _user(uid: int) -> tuple[int | None, int | None, list[int] | None]:
    """User, group and other groups to become; None where it is our own."""
    if uid == os.geteuid():
        return None, None, None
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return uid, uid, []
    return uid, user.pw_gid, os.getgrouplist(user.pw_name, user.pw_gid)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, PIECE)
    except OSError:  # a terminal whose last user is gone
        return b""


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
