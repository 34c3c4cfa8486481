"""The process that work on tables is done in copies of: what it has, what it has not, and when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from baygrid.ports.reader import ReadFailed
from baygrid.sharing.process import Limits, call, stream

WAITS = """
import os
from baygrid.sharing.process import Limits, call
print(call(Limits(), os.getppid), flush=True)
input()
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until_gone(pid: int) -> None:
    while not gone(pid):
        os.sched_yield()


def test_copies_are_of_one_process_and_go_with_their_work() -> None:
    mother = call(Limits(), os.getppid)
    copies = {call(Limits(), os.getpid) for _ in range(3)}
    assert len(copies) == 3
    assert call(Limits(), os.getppid) == mother
    assert all(map(gone, copies))


def test_it_has_no_thread_that_a_copy_would_miss() -> None:
    """But those of jemalloc, which starts its own again after a fork."""
    mother = call(Limits(), os.getppid)
    tasks = sorted(Path(f"/proc/{mother}/task").iterdir(), key=lambda task: int(task.name))
    assert {(task / "comm").read_text().strip() for task in tasks[1:]} <= {"jemalloc_bg_thd"}


def test_it_has_nothing_of_the_server_s_environment_but_what_is_harmless() -> None:
    code = f"import os; os.environ['BAYGRID_KEY'] = 'hush'{WAITS}"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as server:
        assert server.stdout is not None
        mother = int(server.stdout.readline())
        assert b"hush" in Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert b"hush" not in Path(f"/proc/{mother}/environ").read_bytes()
        server.kill()


def test_it_ends_with_the_server_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=-1, stdout=-1) as server:
        assert server.stdout is not None
        mother = int(server.stdout.readline())
        assert not gone(mother)
        server.kill()
        until_gone(mother)


def test_another_is_started_when_somebody_kills_it_and_its_copies_are_gone() -> None:
    mother = call(Limits(), os.getppid)
    with closing(stream(Limits(), count)) as answers:
        assert next(answers) == 0
        os.kill(mother, signal.SIGKILL)
        with pytest.raises(ReadFailed, match="it crashed"):
            list(answers)
    assert call(Limits(), os.getppid) != mother


def test_many_at_once() -> None:
    found: set[int] = set()
    threads = [threading.Thread(target=lambda: found.add(call(Limits(), os.getpid))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert all(map(gone, found))
