"""Network namespaces of a test's own, joined by cables whose speed it sets. Nothing of the machine's network
is touched; the kernel takes all of it away with the processes that hold it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("ip", "tc", "unshare", "nsenter"))),
    reason="needs root, and ip and tc of iproute2: network namespaces with shaped links",
)


class Place:
    """One namespace."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.path = f"/proc/{process.pid}/ns/net"
        self.enter = ("nsenter", f"--net={self.path}")  # before a command
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *argv: str) -> None:
        subprocess.run([*self.enter, *argv], check=True, capture_output=True)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread connects and starts in the block is in there."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            with Path(self.path).open() as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)


class Star:
    """`middle` with a cable to each of `ends`; its own address on the cable of the first is 10.78.1.1."""

    def __init__(self, middle: Place, ends: dict[str, Place]) -> None:
        self.middle, self.ends = middle, ends
        for number, (name, end) in enumerate(ends.items(), 1):
            pid = end.path.split("/")[2]
            middle.run("ip", "link", "add", name, "type", "veth", "peer", "name", "up0", "netns", pid)
            middle.run("ip", "address", "add", f"10.78.{number}.1/24", "dev", name)
            middle.run("ip", "link", "set", name, "up")
            end.run("ip", "address", "add", f"10.78.{number}.2/24", "dev", "up0")
            end.run("ip", "link", "set", "up0", "up")

    def address(self, name: str) -> str:
        """Of the middle, as seen from there."""
        return f"10.78.{list(self.ends).index(name) + 1}.1"

    def shape(self, name: str, mbit_s: int) -> None:
        """What goes from the middle to `name` is no faster from now on."""
        rate = ("tbf", "rate", f"{mbit_s}mbit", "burst", "32kb", "latency", "200ms")
        self.middle.run("tc", "qdisc", "replace", "dev", name, "root", *rate)


@contextmanager
def star(*names: str) -> Iterator[Star]:
    with ExitStack() as held:
        places = {}
        for name in ("", *names):
            process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", "echo there; read end"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            held.enter_context(process)  # its input ends then, and so does it
            assert process.stdout is not None
            assert process.stdout.readline() == b"there\n"
            places[name] = Place(process)
        yield Star(places.pop(""), places)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
