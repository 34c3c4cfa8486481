"""Starts a supervisor. It inherits nothing of the agent: no environment, no descriptors, no signal
settings."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

from baygrid.centres.folder import owners, secrets
from baygrid.centres.folder.environment import NotRunnable, common
from baygrid.centres.folder.files import Files
from baygrid.centres.folder.users import ids_of
from baygrid.centres.local.share import WHOLE, Share
from baygrid.ports.messages import Order

SUPERVISOR = str(Path(__file__).with_name("supervise.sh"))
SHELL = "/bin/sh"
SETPRIV = "/usr/bin/setpriv"
_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_LONG = 20_000  # characters; the kernel takes 128 KiB for one argument
_OF_A_SHELL = ("$$", "${$}", "$0", "${0")  # who says this means a shell of its own, not the supervisor
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def environment(files: Files, order: Order, share: Share, centre: str, path: str) -> dict[str, str]:
    """As in `folder.environment`, with what is known of a place on this machine. Raises NotRunnable."""
    return {
        "PATH": path,
        **common(files, order, centre, share.port),
        "NODE_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "CUDA_VISIBLE_DEVICES": share.visible()[0],
        **({"BAYGRID_ACCELERATOR_SHARE": str(share.part / WHOLE)} if share.part < WHOLE else {}),
    }


def _as_user(account: str, argv: list[str], environ: dict[str, str]) -> list[str]:
    """The command by which the user runs `argv` with this environment. It must not be the environment of what
    changes the user, which is still root: the job chooses it, LD_PRELOAD too."""
    words = [f"{name}={value}" for name, value in {**environ, "USER": account, "LOGNAME": account}.items()]
    group = ids_of(account)[1]
    become = [SETPRIV, f"--reuid={account}", f"--regid={group}", "--init-groups", "--inh-caps=-all"]
    return [*become, "/usr/bin/env", "-i", *words, *argv]


def commands(files: Files, order: Order) -> tuple[str, str]:
    """Setup ("" for none) and run, as texts for a shell in `work`. Only some become a file: making one and
    starting a shell for it costs as much as the rest of a start."""
    setup, run = _command(files, "setup", order.setup), _command(files, "run", order.run)
    given = secrets.exports(order.secrets)
    return given + setup if setup else "", given + run


def _command(files: Files, name: str, text: str) -> str:
    if text.startswith("#!"):
        files.replace(name, text.encode(), 0o700)
        return f"exec ../{name}"
    if len(text) > _LONG or any(word in text for word in _OF_A_SHELL):
        files.replace(name, text.encode())
        return f"exec {SHELL} ../{name}"
    return text if text.strip() else ""


def spawn(
    files: Files,
    order: Order,
    share: Share,
    environ: dict[str, str],
    given: str,
    supervisor: str = SUPERVISOR,
    account: str = "",
) -> int:
    """Returns the pid of the supervisor, which leads a session of its own. `given` is what it puts into its
    claim. With an `account` it and all that it starts run as that user, to whom the folder then belongs.
    Raises OSError."""
    setup, run = commands(files, order)
    argv = [SHELL, supervisor, files.dir, given, setup, run, *share.visible()]
    if account:
        argv, environ = _as_user(account, argv, environ), {}
    return launch(files, argv, environ, share, account)


def launch(files: Files, argv: list[str], environ: dict[str, str], share: Share, account: str = "") -> int:
    """`argv` in a session of its own, with the attempt's log. Raises NotRunnable, OSError."""
    log = os.open(files.path("log"), _LOG_FLAGS, 0o600)
    ours = os.sched_getaffinity(0) if share.cpus else set[int]()
    try:
        if account:
            owners.give(Path(files.dir), account)
        if share.cpus:  # inherited: to pin the child afterwards is too late for what it starts at once
            os.sched_setaffinity(0, share.cpus)
        return os.posix_spawn(
            argv[0],
            argv,
            environ,
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULT_SIGNALS,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ),
        )
    except ValueError as error:  # a null byte
        raise NotRunnable(str(error)) from None
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise NotRunnable("its environment is too large") from None
        raise
    finally:
        if share.cpus:
            os.sched_setaffinity(0, ours)
        os.close(log)
