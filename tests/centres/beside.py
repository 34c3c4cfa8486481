"""Runs a command beside a process, no longer than it, and ends it when told TERM. As srun does in a job.

Arguments: the pid, and the command."""

import contextlib
import os
import select
import signal
import sys

number, *command = sys.argv[1:]
watched = os.pidfd_open(int(number))
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write, warn_on_full_buffer=False)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGCHLD, lambda *_: None)
for name in ("SIGINT", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)  # typed at the terminal for the command
child = os.fork()
if not child:
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGCHLD"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    if not os.isatty(0):
        os.setpgid(0, 0)
    os.execvp(command[0], command)
told = False
while not (ended := os.waitpid(child, os.WNOHANG))[0]:
    ready, _, _ = select.select([read, watched], [], [])
    if watched in ready or os.read(read, 4096).count(signal.SIGTERM):
        for target in (-child, child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
        ended = os.waitpid(child, 0)
        break
code = os.waitstatus_to_exitcode(ended[1])
sys.exit(code if code >= 0 else 128 - code)
