"""Network namespaces of the campaign's own: a server and centres on one switch, each link with its hand on
it. Nothing of the machine's own network is touched, and the kernel takes all of it away with its holders."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SERVER_HOST = "10.77.0.1"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG, SIGKILL = 1, 9
_libc = ctypes.CDLL(None, use_errno=True)


class Missing(Exception):
    """There can be no such network here; the message says what it needs."""


class Holder:
    """A process that does nothing but have a network namespace of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo there; exec sleep infinity"],
            stdout=subprocess.PIPE,
            preexec_fn=_die_with_the_test,  # noqa: PLW1509 - it only sets what happens at our death
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"there\n":
            self.close()
            raise Missing("needs root: only root can make network namespaces")
        self.run("ip", "link", "set", "lo", "up")

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, *argv: str) -> None:
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{self.pid}/ns/net", *argv], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread opens in the block, and programs that it starts, are in there for ever."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            with Path(f"/proc/{self.pid}/ns/net").open() as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass
class Network:
    """`places` by name, the server's among them; each hangs on the switch by a cable `to-NAME`."""

    switch: Holder
    places: dict[str, Holder] = field(default_factory=dict)

    def add(self, name: str) -> Holder:
        """Its address ends with its number, from 1 on."""
        place = self.places[name] = Holder()
        cable, number = f"to-{name}", len(self.places)
        self.switch.run(
            "ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(place.pid)
        )
        self.switch.run("ip", "link", "set", cable, "master", "switch", "up")
        place.run("ip", "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
        place.run("ip", "link", "set", "eth0", "up")
        return place

    def cut(self, name: str) -> None:
        """The cable is pulled at the switch: whoever sends hears nothing."""
        self.switch.run("ip", "link", "set", f"to-{name}", "down")

    def heal(self, name: str) -> None:
        self.switch.run("ip", "link", "set", f"to-{name}", "up")

    def deafen(self, name: str) -> None:
        """Half open: what it sends arrives, and it hears no answer."""
        self.places[name].run("iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP")

    def silence(self, name: str) -> None:
        """Half open the other way: what it sends is lost."""
        self.places[name].run("iptables", "-A", "OUTPUT", "-o", "eth0", "-j", "DROP")

    def undo(self, name: str) -> None:
        """Of both halves."""
        self.places[name].run("iptables", "-F")


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """The server's place, SERVER_HOST, and one of each name. Raises Missing."""
    if os.geteuid() != 0:
        raise Missing("needs root: only root can make network namespaces")
    if absent := [program for program in ("ip", "iptables", "nsenter") if shutil.which(program) is None]:
        raise Missing(f"needs {' and '.join(absent)} on this machine")
    made = Network(Holder())
    try:
        made.switch.run("ip", "link", "add", "switch", "type", "bridge")
        made.switch.run("ip", "link", "set", "switch", "up")
        for name in ("server", *names):
            made.add(name)
        yield made
    finally:
        for holder in (*made.places.values(), made.switch):
            holder.close()


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _die_with_the_test() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
