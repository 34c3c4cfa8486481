"""One attempt's directory: what is in it, who writes it, and how it is read when any writer may have
died.

`why` is the driver's, `claim` and `exit` are written by what runs the attempt (a supervisor, an engine's
task), or the claim is the driver's, which then keeps it from ever starting. `log`, `work/` (also home and
place for temporary files), and where they are named `inputs/` and `outputs/` are the job's. A job may put
anything in the place of any of them: what is not a file is read as one that is not complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from baygrid.centres.folder.process import parse_stat
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.ports.basics import Instant

_TIME = re.compile(rb"(\d+)m([\d.]+)s")
_EXIT = re.compile(rb"(?:^|\n)exit (\d+) (setup|run)\n$")


def key_of(token: str) -> str:
    """The name of its directory. Not the token itself: paths are seen by the job, and it is a secret."""
    return hashlib.sha256(token.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may run the attempt. `pid` None: the driver took it, so that nobody ever runs it; `word` says
    why."""

    at: Instant
    pid: int | None = None
    start: int = 0
    boot: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    word: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    code: int
    phase: str
    at: Instant
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Why:
    """That the driver ended it, and until when it has time to end well."""

    word: str
    kill_at: Instant


class Files:
    """Paths are texts: they are made hundreds of times a second."""

    __slots__ = ("dir",)

    def __init__(self, directory: str) -> None:
        self.dir = directory

    def path(self, name: str) -> str:
        return f"{self.dir}/{name}"

    def has(self, name: str) -> bool:
        return os.path.lexists(f"{self.dir}/{name}")

    def write(self, name: str, data: bytes, mode: int = 0o600) -> None:
        descriptor = os.open(f"{self.dir}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            _write(descriptor, data)
        finally:
            os.close(descriptor)

    def replace(self, name: str, data: bytes, mode: int = 0o600) -> None:
        """For what a process may be reading just now: it goes on reading the old file."""
        if self.has(name):
            self.write(f"{name}.new", data, mode)
            os.replace(self.path(f"{name}.new"), self.path(name))  # noqa: PTH105
        else:
            self.write(name, data, mode)

    def write_once(self, name: str, data: bytes) -> bool:
        """False when somebody was here before."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(f"{self.dir}/{name}", flags, 0o600)
        except FileExistsError:
            return False
        try:
            _write(descriptor, data)
        except OSError:  # a full disk: it is as if it had not been tried
            os.unlink(f"{self.dir}/{name}")  # noqa: PTH108 - paths are texts here
            raise
        finally:
            os.close(descriptor)
        return True

    def forbid(self, word: str, detail: str, now: Instant) -> bool:
        """Takes the claim, so that this attempt never starts. False when it was claimed already."""
        os.makedirs(self.dir, mode=0o700, exist_ok=True)  # noqa: PTH103 - paths are texts here
        text = f"{word} {now} {detail}".replace("\n", " ")
        return self.write_once("claim", f"{text}\n".encode(errors="replace"))

    def claim(self, *needed: str) -> Claim | None:
        """None: nobody has claimed. Raises ValueError while the claim is being written, or when its
        writer died. `needed`: keys of what it was given. That nobody may run it is believed only of a
        claim that is ours: a job that runs as another user might write it, too."""
        try:
            data, found = self._read("claim")
        except FileNotFoundError:
            return None
        lines = data.decode(errors="replace").split("\n")
        if len(lines) == 2 and found.st_uid == os.geteuid():
            word, when, detail = lines[0].split(" ", 2)
            return Claim(int(when), word=word, detail=detail)
        if len(lines) != 4:
            raise ValueError("the claim is not complete")
        process = parse_stat(lines[0])
        given = orjson.loads(lines[2])
        if not isinstance(given, dict) or set(needed) - given.keys():
            raise ValueError("the claim is not of this version")
        return Claim(_changed(found), process.pid, process.start, lines[1], given)

    def exit(self) -> Exit | None:
        """None until the supervisor's line is there whole."""
        try:
            data, found = self._read("exit")
        except (FileNotFoundError, ValueError):
            return None
        match = _EXIT.search(data)
        if match is None:
            return None
        spent = sum(int(minutes) * 60 + float(seconds) for minutes, seconds in _TIME.findall(data))
        return Exit(int(match[1]), match[2].decode(), _changed(found), round(spent, 3))

    def why(self) -> Why | None:
        try:
            word, kill_at = self._read("why")[0].decode().split()
            return Why(word, int(kill_at))
        except (FileNotFoundError, ValueError):
            return None

    def small(self, name: str) -> bytes:
        """Of what an engine or a job left there; nothing where there is none, or no file."""
        try:
            return self._read(name)[0]
        except (FileNotFoundError, ValueError):
            return b""

    def last_sign(self) -> Instant:
        """When the attempt last left a trace."""
        times = [0]
        for name in ("claim", "log", "exit"):
            try:
                times.append(_changed(os.stat(f"{self.dir}/{name}")))  # noqa: PTH116
            except FileNotFoundError:
                continue
        return max(times)

    def log(self, offset: int, limit: int) -> bytes:
        try:
            descriptor = os.open(
                f"{self.dir}/log", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except OSError:
            return b""
        try:
            return os.pread(descriptor, limit, offset)
        except OSError:  # no file
            return b""
        finally:
            os.close(descriptor)

    def log_size(self) -> int:
        try:
            return os.lstat(f"{self.dir}/log").st_size
        except FileNotFoundError:
            return 0

    def outputs(self, names: Sequence[str]) -> dict[str, Path]:
        if Path(self.dir, "outputs").is_symlink():
            return {}
        return {name: Path(self.dir, "outputs", name) for name in names if self.has(f"outputs/{name}")}

    def filled(self, names: Sequence[str]) -> dict[str, Path]:
        """Those outputs that the job has put something into."""
        return {name: path for name, path in self.outputs(names).items() if not _is_empty(path)}

    def checkpoint(self, path: str) -> dict[str, Path]:
        """The folder below `work`, if it is one that no link leads to."""
        folder = Path(self.dir, "work")
        for part in path.split("/") if path else ():
            folder /= part
            if folder.is_symlink() or not folder.is_dir():
                return {}
        return {OUTPUT: folder} if path else {}

    def _read(self, name: str) -> tuple[bytes, os.stat_result]:
        """Raises FileNotFoundError, and ValueError for what is no file."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(f"{self.dir}/{name}", flags)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise ValueError(f"{name} is no file") from None
            raise
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"{name} is no file")
            return os.read(descriptor, 1 << 20), found
        finally:
            os.close(descriptor)


def _changed(found: os.stat_result) -> Instant:
    return found.st_mtime_ns // 1_000_000


def _is_empty(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _write(descriptor: int, data: bytes) -> None:
    """All of it, or an error: a script that was cut short must not run."""
    while data:
        data = data[os.write(descriptor, data) :]
