"""What the process of a query can reach: nothing."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
from collections.abc import Callable
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import pytest

from baygrid.sharing.sql import confined
from baygrid.sharing.sql.confined import Bounds


def within(look: Callable[[], Any], parent: int | None = None) -> Any:
    """What a function finds in such a process; None if it ended before it could look."""
    down, _down = Pipe(duplex=False)
    up, into = Pipe(duplex=False)
    here = os.getpid() if parent is None else parent
    pid = os.fork()
    if pid == 0:
        try:
            _, told = confined._confine(Bounds(), down, into, here)
            confined._seal()
            told.send_bytes(json.dumps(look()).encode())
        finally:
            os._exit(0)
    into.close()
    try:
        return json.loads(up.recv_bytes())
    except EOFError:
        return None
    finally:
        os.waitpid(pid, 0)


def test_it_has_two_pipes_and_opens_nothing_else() -> None:
    def look() -> list[str]:
        said = []
        for act in (
            lambda: Path("/etc/hostname").read_bytes(),
            lambda: list(Path("/proc/self/fd").iterdir()),
            socket.socket,
            lambda: os.dup(3),
            os.pipe,
            lambda: subprocess.run(["true"], check=True),
        ):
            try:
                act()
                said.append("done")
            except OSError as error:
                said.append(os.strerror(error.errno or 0))
        return said

    assert within(look) == ["Too many open files"] * 6


def test_nothing_of_the_server_is_left_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "secret")
    with Path(os.devnull).open() as file:
        number = file.fileno()

        def look() -> Any:
            try:
                os.fstat(max(number, 5))
            except OSError:
                return dict(os.environ), "closed"
            return dict(os.environ), "open"

        assert within(look) == [{}, "closed"]


def test_its_memory_time_and_files_are_bounded() -> None:
    kinds = [resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE]
    found = within(lambda: [resource.getrlimit(kind) for kind in kinds])
    bounds = Bounds()
    assert found == [[2 * bounds.memory + (1 << 30)] * 2, [bounds.seconds] * 2, [0, 0], [0, 0]]


def test_without_its_parent_it_does_not_begin() -> None:
    assert within(lambda: "began", parent=1) is None
