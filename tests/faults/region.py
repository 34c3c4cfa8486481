"""A small region of real processes that are started again whenever they die, and a client that outlives
them."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.processes import PATIENCE_S, Process, Processes, Strike, quiet_port

Json = dict[str, Any]
FINAL = {"job-succeeded", "job-failed", "job-cancelled"}
# So dear that some milliseconds cost something.
RATES = {"cpu_hour": "36000", "gib_hour": "3600"}


class Refused(Exception):
    """An answer that is no success."""


class Client:
    """One token at one server that may be away: every request is repeated until it is answered.

    `serving` gives a server that takes requests, `broken` is told that a connection to one broke and returns
    when another try makes sense. Each request has its own connection, so that none breaks for an earlier one.
    """

    def __init__(self, serving: Callable[[], Process], broken: Callable[[Process], None], token: str) -> None:
        self._serving, self._broken, self._token = serving, broken, token

    def get(self, path: str) -> Any:
        return json.loads(self.send("GET", path))

    def post(self, path: str, body: object, key: str | None = None) -> Any:
        """With `key` it is done once, however often it is sent."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return json.loads(self.send("POST", path, json.dumps(body).encode(), headers))

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        while True:
            server = self._serving()
            try:
                with self._asked(server, method, path, body, headers or {}) as answer:
                    data: bytes = answer.read()
                    if answer.status >= 300:
                        raise Refused(f"{method} {path}: {answer.status} {data.decode()}")
                    return data
            except (OSError, http.client.HTTPException):
                self._broken(server)

    def events(self, path: str, after: str | None = None) -> Iterator[Json]:
        """A stream to its end, each event once, whatever breaks on the way."""
        while True:
            server = self._serving()
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
            try:
                with self._asked(server, "GET", path, None, headers) as answer:
                    if answer.status != 200:
                        raise Refused(f"GET {path}: {answer.status} {answer.read().decode()}")
                    for line in iter(answer.readline, b""):
                        if line.startswith(b"data: "):
                            event = json.loads(line[6:])
                            after = event["cursor"]
                            yield event
                    return
            except (OSError, http.client.HTTPException):
                self._broken(server)

    def job_events(self, job: str) -> list[Json]:
        """All of a job's, once it is over. A server that is told to stop ends its streams early."""
        found: list[Json] = []
        while not found or found[-1]["kind"] not in FINAL:
            found += self.events(f"/v1/jobs/{job}/events", found[-1]["cursor"] if found else None)
        return found

    def log(self, job: str) -> bytes:
        """A job's log, followed to its end."""
        data = bytearray()
        while True:
            server = self._serving()
            path = f"/v1/jobs/{job}/logs?follow=true&offset={len(data)}"
            try:
                with self._asked(server, "GET", path, None, {}) as answer:
                    if answer.status != 200:
                        raise Refused(f"GET {path}: {answer.status} {answer.read().decode()}")
                    whole = answer.headers["Log-Complete"] == "true"
                    while piece := answer.read1(65536):
                        data += piece
                if whole:
                    return bytes(data)
            except (OSError, http.client.HTTPException):
                self._broken(server)

    @contextmanager
    def _asked(
        self, server: Process, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        host, _, port = str(server.ready).removeprefix("http://").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
        try:
            sent = {"Authorization": f"Bearer {self._token}", "Connection": "close", **headers}
            connection.request(method, path, body, sent)
            with connection.getresponse() as answer:
                yield answer
        finally:
            connection.close()


@dataclass(frozen=True)
class Secrets:
    """Of a region's operator, of its project's team, of its centre's agent ("" where the server is that)."""

    operator: str
    team: str
    centre: str


class Region:
    """One server and, unless it runs its centre itself, one agent. A process that dies is started again at
    once, without its failpoint; with `both` it takes the other with it."""

    def __init__(
        self,
        processes: Processes,
        folder: Path,
        *,
        embedded: bool,
        database: str | None = None,
        token: str = "",
        both: bool = False,
    ) -> None:
        self.folder, self.processes = folder, processes
        self.embedded, self._both = embedded, both
        self.port = quiet_port()
        self._database = database
        self.token = token  # the agent's
        self.running: dict[str, Process] = {}
        self.ended: list[Process] = []
        self._closed = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def server(self) -> Process:
        return self.running["server"]

    @property
    def agent(self) -> Process:
        return self.running["agent"]

    def start(self, kind: str, strike: Strike | None = None) -> Process:
        settings = self._server_settings() if kind == "server" else self._agent_settings()
        stderr = self.folder / f"{kind}.stderr"
        process = self.processes.start(kind, settings, stderr, strike, self._died)
        self.running[kind] = process
        return process

    def kill(self, kind: str) -> None:
        """It comes back by itself."""
        self.processes.send(self.running[kind], signal.SIGKILL)

    def until_up(self, kind: str) -> Process:
        self.processes.wait(lambda: self.running[kind].up, f"a {kind} of {self.folder}")
        return self.running[kind]

    def client(self, token: str) -> Client:
        return Client(lambda: self.until_up("server"), self._broken, token)

    def close(self, number: signal.Signals = signal.SIGKILL) -> None:
        with self.processes.changed:
            self._closed = True
        for process in self.running.values():
            self.processes.end(process, number)

    def _died(self, process: Process) -> None:
        """Called with the lock held."""
        self.ended.append(process)
        if self._closed or self.running[process.kind] is not process:
            return
        if self._both and len(self.ended) == 1:
            for other in self.running.values():
                if other is not process:
                    self.processes.send(other, signal.SIGKILL)
        self.start(process.kind)

    def _broken(self, server: Process) -> None:
        """Nothing but its end breaks a server's connections."""
        self.processes.wait(lambda: server.exited is not None, f"the end of {server}")

    def _server_settings(self) -> Json:
        return {
            "data": str(self.folder / "server"),
            "port": self.port,
            "database": self._database,
            "embedded": "local" if self.embedded else None,
            "embedded_nodes": ["dear/n1:cpus=4,memory=4"],
        }

    def _agent_settings(self) -> Json:
        return {
            "centre": "hub",
            "server": self.address,
            "token": self.token,
            "state": str(self.folder / "agent"),
            "nodes": ["n1:cpus=4,memory=4"],
            "as_me": True,
        }
