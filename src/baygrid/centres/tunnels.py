"""The agent's side of tunnels: threads of their own, beside the loop, which they do not touch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol, runtime_checkable

from baygrid.ports.messages import Refused, Unreachable
from baygrid.ports.tunnels import REFUSED, Frame, Tunnel, Way, frames, packed

WAIT_S = 30.0
AGAIN_S = 2.0


class Entered(Protocol):
    """What a tunnel leads to. One thread reads `out`, another brings frames to `take`."""

    def out(self) -> Iterator[bytes]: ...

    def take(self, frame: Frame) -> None: ...

    def close(self) -> None:
        """From any thread, more than once."""
        ...


@runtime_checkable
class Enterable(Protocol):
    """A driver whose attempts can be entered."""

    def enter(self, tunnel: Tunnel) -> Entered:
        """From any thread. Raises OSError and LookupError, with the reason."""
        ...


class Doorkeeper:
    """Asks for tunnels and serves each, until `stop`."""

    def __init__(self, way: Way, enter: Callable[[Tunnel], Entered]) -> None:
        self._way, self._enter = way, enter
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open = 0
        threading.Thread(target=self._run, name="tunnels", daemon=True).start()

    def stop(self) -> None:
        """What is open goes on until its process ends."""
        self._stopping.set()

    @property
    def serving(self) -> bool:
        """Whether a tunnel is open."""
        return self._open > 0

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                found = self._way.wanted(WAIT_S)
            except (Unreachable, Refused):  # the loop tells of it
                self._stopping.wait(AGAIN_S)
                continue
            for tunnel in found:
                self._count(1)
                threading.Thread(target=self._serve, args=(tunnel,), daemon=True).start()

    def _count(self, step: int) -> None:
        with self._lock:
            self._open += step

    def _serve(self, tunnel: Tunnel) -> None:
        try:
            self._lead(tunnel)
        finally:
            self._count(-1)

    def _lead(self, tunnel: Tunnel) -> None:
        with suppress(Unreachable, Refused):
            try:
                entered = self._enter(tunnel)
            except (OSError, LookupError) as error:
                text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                self._way.write(tunnel.id, iter([packed(REFUSED, text.encode())]))
                return
            threading.Thread(target=self._feed, args=(tunnel, entered), daemon=True).start()
            try:
                self._way.write(tunnel.id, entered.out())
            finally:
                entered.close()

    def _feed(self, tunnel: Tunnel, entered: Entered) -> None:
        """When the user's machine is gone, it ends."""
        with suppress(Unreachable, Refused, ValueError):
            for frame in frames(self._way.read(tunnel.id)):
                entered.take(frame)
        entered.close()
