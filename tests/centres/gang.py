"""Runs a command once for each rank, beside one another; ends all when one fails. As srun does."""

import os
import signal
import sys

count, *command = sys.argv[1:]
ranks = {}
for rank in range(int(count)):
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        os.environ["FIFO_RANK"] = str(rank)
        os.execvp(command[0], command)
    ranks[pid] = rank
for name in ("TERM", "USR1", "USR2", "INT", "HUP"):
    signal.signal(getattr(signal, f"SIG{name}"), lambda number, frame: None)
worst = 0
while ranks:
    pid, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    del ranks[pid]
    if code and not worst:
        worst = code
        for other in ranks:
            os.killpg(other, signal.SIGKILL)
sys.exit(worst if worst >= 0 else 128 - worst)
