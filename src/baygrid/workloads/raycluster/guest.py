"""Any other rank's side of the meeting."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Final

from baygrid.workloads.raycluster.meeting import FILE, JOINED, PATIENCE_S, NobodyCame
from baygrid.workloads.raycluster.place import Cluster, Place

LOOK_S: Final = 0.2


class Guest:
    """Calls, and knows the cluster."""

    def __init__(self, place: Place) -> None:
        """Raises NobodyCame where the first rank invites nobody."""
        found = _found(place.folder)
        self.cluster = Cluster(found["address"], found["temporary"], found["token"])
        self._line = socket.create_connection((place.first, int(found["port"])), timeout=PATIENCE_S)
        self._line.settimeout(None)
        self._line.sendall(f"{found['secret']} {place.rank}\n".encode())

    def joined(self) -> None:
        self._line.sendall(JOINED + b"\n")

    def wait(self) -> None:
        """Until the cluster is over."""
        try:
            while self._line.recv(1):
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self._line.close()


def _found(folder: Path) -> dict[str, str]:
    for _ in range(int(PATIENCE_S / LOOK_S)):
        # By the directory: a network file system remembers for a while that a file was not there.
        if folder.is_dir() and folder / FILE in folder.iterdir():
            found: dict[str, str] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return found
        time.sleep(LOOK_S)
    raise NobodyCame("the first rank has started no Ray cluster")
