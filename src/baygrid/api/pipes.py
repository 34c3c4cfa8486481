"""Where the two ends of a tunnel meet: bytes wait here, a few at a time, for whoever reads them.

Both ends come to the same server; behind a proxy that takes a rule (see the operator's tutorial).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final

from baygrid.api.waiters import Hub
from baygrid.app.problems import NotFound, WrongState
from baygrid.ports.tunnels import Tunnel

MOST: Final = 256 * 1024
"""Bytes that wait in one direction: then whoever sends must wait, too."""
IDLE_S: Final = 3600.0
TOTAL_S: Final = 24 * 3600.0
COME_S: Final = 30.0
"""So long the agent may take to come."""
AT_ONCE: Final = 100
"""At one centre."""


class Pipe:
    """One direction."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._changed = asyncio.Condition()
        self.finished = False
        self.moved_at = asyncio.get_running_loop().time()

    async def put(self, data: bytes) -> bool:
        """False when nobody wants more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < MOST or self.finished)
            if self.finished:
                return False
            self._waiting.append(data)
            self.moved_at = asyncio.get_running_loop().time()
            self._size += len(data)
            self._changed.notify_all()
            return True

    async def take(self) -> bytes:
        """What is there; nothing at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self.finished)
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._changed.notify_all()
            return data

    async def finish(self) -> None:
        async with self._changed:
            self.finished = True
            self._changed.notify_all()


@dataclass(slots=True)
class Ends:
    """One tunnel: `inward` to the job, `outward` to the user, whose token is `owner`."""

    tunnel: Tunnel
    owner: str
    centre: str
    inward: Pipe = field(default_factory=Pipe)
    outward: Pipe = field(default_factory=Pipe)
    came: bool = False

    async def finish(self) -> None:
        await self.inward.finish()
        await self.outward.finish()


class Tunnels:
    """Those of one server."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._ends: dict[str, Ends] = {}
        self._wanted: dict[str, SimpleQueue[Tunnel]] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    def open(self, tunnel: Tunnel, owner: str, centre: str) -> Ends:
        """In the event loop. Raises WrongState."""
        self.loop = asyncio.get_running_loop()
        if sum(ends.centre == centre for ends in self._ends.values()) >= AT_ONCE:
            raise WrongState(f"there are {AT_ONCE} tunnels to centre {centre!r} already: end some")
        ends = self._ends[tunnel.id] = Ends(tunnel, owner, centre)
        self.wanted(centre).put(tunnel)
        self._hub.hear(frozenset({topic(centre)}))
        self.loop.call_later(COME_S, self._give_up, ends)
        self.loop.call_later(IDLE_S, self._look, ends)
        self.loop.call_later(TOTAL_S, self.drop, tunnel.id)
        return ends

    def wanted(self, centre: str) -> SimpleQueue[Tunnel]:
        """Those that its agent has not been told of."""
        return self._wanted.setdefault(centre, SimpleQueue())

    def told(self, centre: str) -> tuple[Tunnel, ...]:
        """Takes them."""
        found: list[Tunnel] = []
        while True:
            try:
                tunnel = self.wanted(centre).get_nowait()
            except Empty:
                return tuple(found)
            if self.is_open(tunnel):
                found.append(tunnel)

    def is_open(self, tunnel: Tunnel) -> bool:
        """Nobody enters one that its user was told is over. From any thread."""
        return tunnel.id in self._ends

    def of_owner(self, id: str, owner: str) -> Ends:
        """Raises NotFound."""
        ends = self._ends.get(id)
        if ends is None or ends.owner != owner:
            raise NotFound(f"there is no tunnel {id!r}")
        return ends

    def of_centre(self, id: str, centre: str | None) -> Ends:
        """Raises NotFound."""
        ends = self._ends.get(id)
        if ends is None or ends.centre != centre:
            raise NotFound(f"there is no tunnel {id!r}")
        ends.came = True
        return ends

    def drop(self, id: str) -> None:
        """In the event loop: both ends see its end."""
        ends = self._ends.pop(id, None)
        if ends is not None:
            task = asyncio.ensure_future(ends.finish())
            task.add_done_callback(lambda _: None)

    def _give_up(self, ends: Ends) -> None:
        if not ends.came:
            self.drop(ends.tunnel.id)

    def _look(self, ends: Ends) -> None:
        """Ends it where nothing has moved for long."""
        loop = asyncio.get_running_loop()
        left = max(ends.inward.moved_at, ends.outward.moved_at) + IDLE_S - loop.time()
        if left <= 0:
            self.drop(ends.tunnel.id)
        elif ends.tunnel.id in self._ends:
            loop.call_later(left, self._look, ends)


def topic(centre: str) -> str:
    return f"tunnels:{centre}"


def new_id() -> str:
    return f"tun-{secrets.token_urlsafe(18)}"
