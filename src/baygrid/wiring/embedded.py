"""The way from the server's own agent to the server: the same protocol without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

from baygrid.api.pipes import Ends, Tunnels
from baygrid.app import blobs, logs, secrets, sync
from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.messages import Desired, Refused, Report, ReportAnswer, Unreachable
from baygrid.ports.records import Role
from baygrid.ports.tunnels import Tunnel
from baygrid.wiring.waking import Bell

T = TypeVar("T")

PIECE = 1024 * 1024


class EmbeddedTransport:
    """`ports.centre.Transport` by calls into the application."""

    def __init__(self, platform: Platform, centre: str, failpoint: Failpoint = no_failpoint) -> None:
        self._platform = platform
        self._actor = Actor("embedded", Role.CENTRE, "embedded agent", centre=centre)
        self._bell = Bell(platform.store, f"centre:{centre}")
        self._failpoint = failpoint

    def report(self, report: Report) -> ReportAnswer:
        return self._call(lambda: sync.take_report(self._platform, self._actor, report))

    def desired(self, incarnation: int, after: int, wait_s: float) -> Desired:
        def ask() -> Desired | None:
            return sync.desired(self._platform, self._actor, incarnation, after)

        found = self._call(ask)
        if found is None:
            self._bell.wait(wait_s)
            found = self._call(ask)
        return found or Desired(after, (), ())

    def append_log(self, attempt: str, token: str, offset: int, data: bytes) -> int:
        return self._call(lambda: logs.append(self._platform, self._actor, attempt, token, offset, data))

    def secrets(self, attempt: str, token: str) -> Mapping[str, str]:
        return self._call(lambda: secrets.deliver(self._platform, self._actor, attempt, token))

    def put_blob(self, sha256: str, path: Path) -> None:
        size = path.stat().st_size

        def put() -> None:
            with path.open("rb") as file:
                blobs.put(self._platform, self._actor, sha256, 0, size, iter(lambda: file.read(PIECE), b""))

        self._call(put)

    def fetch_blob(self, sha256: str) -> Iterator[bytes]:
        return self._call(lambda: blobs.get(self._platform, self._actor, sha256)[1])

    def close(self) -> None:
        """Wakes who is parked."""
        self._bell.ring()

    def _call(self, work: Callable[[], T]) -> T:
        self._failpoint("transport.send.before")
        try:
            answer = work()
        except Problem as problem:
            raise Refused(problem.status, problem.detail) from problem
        except Exception as error:  # a database that is away, as a 5xx would be over HTTP
            raise Unreachable(repr(error)) from error
        self._failpoint("transport.receive.after")
        return answer


class EmbeddedWay:
    """`ports.tunnels.Way` to the tunnels of the server in this process."""

    def __init__(self, tunnels: Tunnels, centre: str) -> None:
        self._tunnels, self._centre = tunnels, centre

    def wanted(self, wait_s: float) -> tuple[Tunnel, ...]:
        try:
            tunnel = self._tunnels.wanted(self._centre).get(timeout=wait_s)
        except Empty:
            return ()
        return (tunnel,) if self._tunnels.is_open(tunnel) else ()

    def read(self, id: str) -> Iterator[bytes]:
        pipe = self._ends(id).inward
        while data := self._do(pipe.take()):
            yield data

    def write(self, id: str, chunks: Iterator[bytes]) -> None:
        pipe = self._ends(id).outward
        try:
            for chunk in chunks:
                if not self._do(pipe.put(chunk)):
                    return
        finally:
            self._do(pipe.finish())

    def _ends(self, id: str) -> Ends:
        try:
            return self._tunnels.of_centre(id, self._centre)
        except Problem as problem:
            raise Refused(problem.status, problem.detail) from problem

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._tunnels.loop is not None, "a tunnel was opened in it"
        try:
            return asyncio.run_coroutine_threadsafe(work, self._tunnels.loop).result()
        except (RuntimeError, CancelledError) as error:  # the server stops
            work.close()
            raise Unreachable("the server is stopping") from error
