"""A command beside a running attempt: as its user, in its folder, with its environment, no longer than it.

Any thread may use this: it reads the attempt's folder and the kernel, and nothing of the driver's memory.
"""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path

from baygrid.centres.folder.attached import Attached, NotThere, check_rank
from baygrid.centres.folder.files import Claim, Files
from baygrid.centres.folder.secrets import FOLDER
from baygrid.centres.folder.users import user_of
from baygrid.centres.local import processes
from baygrid.centres.local.share import Share
from baygrid.ports.tunnels import Tunnel

LOOKS, LOOK_S = 40, 0.05
"""How often, and after how long again, it is looked whether what was told to end has."""


class Beside(Attached):
    """One command, as a process of this machine."""

    def __init__(self, files: Files, tunnel: Tunnel) -> None:
        """Raises NotThere, OSError."""
        leader, environ = _leader(files, tunnel.rank)
        argv = list(tunnel.command) or [environ.get("SHELL", "/bin/sh"), *(["-i"] if tunnel.terminal else [])]
        try:
            super().__init__(argv, environ, tunnel, user_of(owner_of(files)), files.path("work"))
        except BaseException as error:
            os.close(leader)
            if isinstance(error, FileNotFoundError):
                raise NotThere(f"there is no command {argv[0]!r}") from None
            raise
        self._watched = leader

    def _end(self) -> None:
        """First as a terminal does that is closed."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            for _ in range(LOOKS):
                left = [one for one in processes.everyone() if one.session == self._process.pid]
                for process in left:
                    processes.signal_one(process, number)
                if not left:
                    break
                time.sleep(LOOK_S)


def _leader(files: Files, rank: int) -> tuple[int, dict[str, str]]:
    """A descriptor of the attempt's supervisor, readable when it has ended, and the environment of a rank."""
    try:
        claim = files.claim()
    except ValueError:
        claim = None
    if claim is None or claim.pid is None or claim.boot != processes.boot_id():
        raise NotThere("the attempt is not running here")
    if claim.given.get("order", {}).get("image"):  # outside, it would be as root
        raise NotThere("it runs inside an image, which commands beside it cannot enter yet")
    descriptor = processes.hold(claim.pid, claim.start)
    if descriptor is None or processes.owner(claim.pid) != owner_of(files):
        if descriptor is not None:
            os.close(descriptor)
        raise NotThere("the attempt has just ended")
    pairs = Path(f"/proc/{claim.pid}/environ").read_bytes().split(b"\0")
    environ = dict(pair.decode(errors="surrogateescape").split("=", 1) for pair in pairs if b"=" in pair)
    try:
        return descriptor, environ | _of_rank(rank, claim) | _secrets(files)
    except NotThere:
        os.close(descriptor)
        raise


def _of_rank(rank: int, claim: Claim) -> dict[str, str]:
    """What a rank has for itself."""
    try:
        devices = Share.from_json(claim.given.get("share")).visible()
    except ValueError as error:
        raise NotThere(str(error)) from None
    check_rank(rank, len(devices))
    return {"NODE_RANK": str(rank), "CUDA_VISIBLE_DEVICES": devices[rank]}


def owner_of(files: Files) -> int:
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
                if stat.S_ISREG(it.st_mode) and it.st_uid == owner_of(files) and it.st_nlink == 1:
                    found[name] = file.read().decode()
    finally:
        os.close(folder)
    return found
