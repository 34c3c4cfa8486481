"""How the ranks of a gang meet: the first one writes into their folder where it listens, the others call,
say when they have joined, and hold the line. When the line is cut, whatever the reason, the cluster is over.

Lines of text: "SECRET RANK" and then "joined" from a rank; nothing comes back.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from baygrid.workloads.raycluster.place import Cluster, Place

PATIENCE_S: Final = 600  # for nodes that fetch an image first
LOOK_S: Final = 0.2
_LONGEST_LINE: Final = 200
_FILE: Final = "meeting.json"


class NobodyCame(Exception):
    """A rank did not join in time, or ended before."""


class Host:
    """The first rank's side."""

    def __init__(self, place: Place) -> None:
        place.folder.mkdir(mode=0o700, exist_ok=True)
        self._place = place
        self._secret = secrets.token_hex(16)
        self._server = socket.create_server((place.first, 0), backlog=place.nodes + 100)
        self._lines: list[socket.socket] = []

    def invite(self, cluster: Cluster) -> None:
        """Makes it known, all at once."""
        port = self._server.getsockname()[1]
        text = json.dumps({**asdict(cluster), "port": port, "secret": self._secret})
        private(self._place.folder / f"{_FILE}.new", text)
        (self._place.folder / f"{_FILE}.new").replace(self._place.folder / _FILE)

    def wait(self, alive: Callable[[], bool]) -> None:
        """Until all have joined, as long as `alive`. Raises NobodyCame."""
        missing, silent_s = set(range(1, self._place.nodes)), 0
        self._server.settimeout(1.0)
        while missing:
            try:
                line, _ = self._server.accept()
            except TimeoutError:
                silent_s += 1
                if silent_s > PATIENCE_S or not alive():
                    raise NobodyCame(f"rank {min(missing)} of {self._place.nodes} did not join") from None
                continue
            line.settimeout(PATIENCE_S)
            missing.discard(self._joined(line))

    def _joined(self, line: socket.socket) -> int:
        """The rank that has joined; 0 for somebody who does not know the secret."""
        with line.makefile("r", encoding="ascii", errors="replace") as words:
            secret, _, rank = words.readline(_LONGEST_LINE).strip().partition(" ")
            if not hmac.compare_digest(secret.encode(), self._secret.encode()) or not rank.isdecimal():
                line.close()
                return 0
            self._lines.append(line)
            if words.readline(_LONGEST_LINE) != "joined\n":
                raise NobodyCame(f"rank {rank} could not join: see its words in the log")
        return int(rank)

    def close(self) -> None:
        """The cluster is over."""
        for line in (*self._lines, self._server):
            line.close()


class Guest:
    """Any other rank's side."""

    def __init__(self, place: Place) -> None:
        found = _found(place.folder)
        self.cluster = Cluster(found["address"], found["temporary"], found["token"])
        self._line = socket.create_connection((place.first, found["port"]), timeout=PATIENCE_S)
        self._line.settimeout(None)
        self._line.sendall(f"{found['secret']} {place.rank}\n".encode())

    def joined(self) -> None:
        self._line.sendall(b"joined\n")

    def wait(self) -> None:
        """Until the cluster is over."""
        try:
            while self._line.recv(1):
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self._line.close()


def private(path: Path, text: str) -> None:
    """A new file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _found(folder: Path) -> dict[str, str]:
    for _ in range(int(PATIENCE_S / LOOK_S)):
        # By the directory: a network file system remembers for a while that a file was not there.
        if folder.is_dir() and folder / _FILE in folder.iterdir():
            found: dict[str, str] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            return found
        time.sleep(LOOK_S)
    raise NobodyCame("the first rank has started no Ray cluster")
