"""Descendants of a process, and what they had of memory."""

import os
import subprocess
import sys

from baygrid.workloads.processes import below
from baygrid.workloads.rating import memory


def test_descendants_are_found_however_deep_and_no_others():
    one = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    other = subprocess.Popen(["sleep", "60"])
    try:
        assert one.stdout is not None
        grandchild = int(one.stdout.readline())
        assert below(one.pid) == {grandchild}
        assert below(os.getpid()) >= {one.pid, grandchild, other.pid}
        assert below(other.pid) == set()
        os.kill(grandchild, 9)
        one.wait()
        assert below(os.getpid()).isdisjoint({one.pid, grandchild})
    finally:
        for process in (one, other):
            process.kill()
            process.communicate()


def test_the_memory_of_a_run_is_that_of_all_its_processes(monkeypatch):
    program = "import sys; held = b'x' * (300 << 20); print(flush=True); sys.stdin.read()"
    peak = memory.Peak()
    monkeypatch.setattr(memory, "EVERY_S", 0.0)
    peak()
    alone = peak.mib
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    peak()
    child.communicate()
    assert peak.mib >= alone + 300
