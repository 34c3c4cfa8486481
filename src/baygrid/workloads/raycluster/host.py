"""The first rank's side of the meeting."""

from __future__ import annotations

import hmac
import json
import secrets
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from baygrid.workloads.raycluster.meeting import FILE, JOINED, PATIENCE_S, NobodyCame, private
from baygrid.workloads.raycluster.place import Cluster, Place
from baygrid.workloads.whole import whole

SILENT_S: Final = 30.0
"""Who has called says the secret before that: a rank does so at once."""
_LOOK_S: Final = 1.0
_LONGEST_LINE: Final = 200


@dataclass
class _Line:
    """One that has called. `rank` 0: it has not said the secret yet. `heard`: what is no whole line yet."""

    socket: socket.socket
    since: float
    rank: int = 0
    heard: bytes = b""


class Host:
    """Listens from the beginning; who may come is told later."""

    def __init__(self, place: Place) -> None:
        place.folder.mkdir(mode=0o700, exist_ok=True)
        self._place = place
        self._secret = secrets.token_hex(16)
        self._server = socket.create_server((place.first, 0), backlog=place.nodes + 100)
        self._server.setblocking(False)
        self._lines: dict[socket.socket, _Line] = {}

    def invite(self, cluster: Cluster) -> None:
        """Makes it known, all at once."""
        port = self._server.getsockname()[1]
        text = json.dumps({**asdict(cluster), "port": port, "secret": self._secret})
        with whole(self._place.folder / FILE) as part:
            private(part, text)

    def wait(self, alive: Callable[[], bool]) -> None:
        """Until all have joined, as long as `alive`. Whoever does not know the secret holds nobody up, and
        ends nothing. Raises NobodyCame."""
        missing = set(range(1, self._place.nodes))
        since = time.perf_counter()
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            while missing:
                ready = [key.fileobj for key, _ in selector.select(_LOOK_S)]
                now = time.perf_counter()
                for each in ready:
                    if each is self._server:
                        self._answer(selector, now)
                    elif (rank := self._listen(selector, self._lines[each])) is not None:  # type: ignore[index]
                        missing.discard(rank)
                        since = now
                self._hang_up(selector, now)
                if now - since > PATIENCE_S or not alive():
                    raise NobodyCame(f"rank {min(missing)} of {self._place.nodes} did not join")

    def _answer(self, selector: selectors.BaseSelector, now: float) -> None:
        try:
            line, _ = self._server.accept()
        except OSError:  # it has thought better of it
            return
        line.setblocking(False)
        self._lines[line] = _Line(line, now)
        selector.register(line, selectors.EVENT_READ)

    def _listen(self, selector: selectors.BaseSelector, line: _Line) -> int | None:
        """The rank that has joined by what it said now."""
        try:
            said = line.socket.recv(_LONGEST_LINE)
        except BlockingIOError:
            return None
        except OSError:
            said = b""
        line.heard += said
        *words, line.heard = line.heard.split(b"\n")
        over = not said or len(line.heard) > _LONGEST_LINE
        for word in words:
            if not line.rank:
                line.rank = self._known(word)
                over = over or not line.rank
            elif word == JOINED:
                selector.unregister(line.socket)  # its end is for it to see, not for us
                return line.rank
            else:
                over = True
        if over:
            self._drop(selector, line)
            if line.rank:
                raise NobodyCame(f"rank {line.rank} could not join: see its words in the log")
        return None

    def _known(self, word: bytes) -> int:
        """The rank of one that says the secret; 0 of anybody else."""
        secret, _, rank = word.strip().partition(b" ")
        knows = hmac.compare_digest(secret, self._secret.encode())
        return int(rank) if knows and rank.isdigit() and len(rank) < 10 else 0

    def _hang_up(self, selector: selectors.BaseSelector, now: float) -> None:
        """On those who say nothing."""
        silent = [line for line in self._lines.values() if not line.rank and now - line.since > SILENT_S]
        for line in silent:
            self._drop(selector, line)

    def _drop(self, selector: selectors.BaseSelector, line: _Line) -> None:
        selector.unregister(line.socket)
        del self._lines[line.socket]
        line.socket.close()

    def close(self) -> None:
        """The cluster is over."""
        for each in (*self._lines, self._server):
            each.close()
