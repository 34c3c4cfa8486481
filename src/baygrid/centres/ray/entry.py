"""What Ray runs for one attempt: its script, and beside it what Ray cannot do.

Ray sends TERM to every process of a job, once, and KILL after RAY_JOB_STOP_WAIT_TIME_S. It knows no limit
of time, no other signal, and does not measure. So a job is killed by a file in its folder, looked for once it
was told TERM; for a signal of its own choice it is looked for from the start. All is told to the process
group, which Ray made for the job. What it used is left in the folder.

Runs by itself, on a node without Baygrid, on any Python that Ray runs on.
"""

import os
import resource
import signal
import sys
from contextlib import suppress

LOOK_S, LOOK_TOLD_S, SELDOM_S = 1.0, 0.2, 3600.0
WATCHED = {
    getattr(signal, f"SIG{name}") for name in ("CHLD", "ALRM", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2")
}


def main(folder: str, script: str, limit_s: str, patience_s: str, other: str) -> int:
    """`patience_s`: from being told to KILL, if nobody kills it before. `other`: a signal that Ray cannot
    send, or nothing. Returns the script's exit code, as a shell tells it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    log = os.open(f"{folder}/ray.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    nothing = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    child = os.posix_spawn(
        "/bin/sh", ["sh", script], os.environ, setsigmask=(), setsigdef=WATCHED, file_actions=[nothing]
    )
    signal.alarm(int(limit_s))
    told, status = False, 0
    while True:
        pause = LOOK_TOLD_S if told else LOOK_S if other else SELDOM_S
        got = signal.sigtimedwait(WATCHED, pause)
        number = got.si_signo if got is not None else 0
        if number == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
        elif number == signal.SIGALRM:
            os.kill(0, signal.SIGKILL if told else signal.SIGTERM)
        # By the directory: a network file system remembers for a while that a file was not there.
        here = os.listdir(folder) if told or other else []  # noqa: PTH208 - a quick start counts
        if "ray-kill" in here:
            os.kill(0, signal.SIGKILL)
        if not told and "ray-signal" in here:
            os.kill(0, getattr(signal, f"SIG{other}"))
        if not told and (number == signal.SIGTERM or "ray-signal" in here):
            told = True
            signal.alarm(int(patience_s))
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB, of the largest process
    with suppress(OSError), open(f"{folder}/ray-use", "x") as use:  # noqa: PTH123
        use.write(f"{used}\n")
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
