"""A server and agents at real engines, each a process in its own place of the network."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.hours import Hours
from tests.campaign.network import Holder, Network
from tests.campaign.proxy import Proxy
from tests.faults.region import RATES, Client, Json

ROOT = Path(__file__).parents[2]
PORT = 8470
DESCRIPTORS_MORE = 24  # as many as a server or agent may open for what it keeps: connections, a pool


class Process:
    """One program until it is killed. `ready`: the address of a server."""

    def __init__(
        self, kind: str, place: Holder, settings: Json, hours: Hours, stderr: Path, clock_ms: int = 0
    ) -> None:
        self.ready = f"http://127.0.0.1:{PORT}"
        program = [sys.executable, "-m", "tests.campaign.program", kind]
        argv = [*program, json.dumps(settings), str(hours.path), str(clock_ms)]
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "OPENBLAS_NUM_THREADS": "1",
        }
        with place.entered(), stderr.open("ab") as errors:
            self._process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"a {kind} did not start:\n{stderr.read_text()[-3000:]}")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - a count

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Client(Client):
    """At the server's own place: it knows what no cable keeps from it."""

    def __init__(self, region: Region, token: str) -> None:
        super().__init__(region.serving, region.broken, token)  # type: ignore[arg-type]
        self._place = region.network.places["server"]

    @contextmanager
    def _asked(
        self, server: object, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        with self._place.entered(), super()._asked(server, method, path, body, headers) as answer:  # type: ignore[arg-type]
            yield answer


@dataclass
class Centre:
    """`settings` of its agent, but for where the server is and the token."""

    name: str
    driver: str
    settings: Json
    token: str = ""
    agent: Process | None = None


@dataclass
class Region:
    """`first`: how many descriptors a process had when it was first at rest, by its pid."""

    folder: Path
    network: Network
    proxy: Proxy
    hours: Hours
    centres: dict[str, Centre] = field(default_factory=dict)
    server: Process | None = None
    first: dict[int, int] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, *centres: Centre) -> None:
        """Server, centres with prices, money, and an agent each, until all nodes are known."""
        self.start_server()
        operator = self.operator
        self.centres = {centre.name: centre for centre in centres}
        for centre in centres:
            made = {"name": centre.name, "jurisdiction": "CN-QH", "driver": centre.driver}
            operator.post("/v1/centres", made)
            role = {"role": "centre", "centre": centre.name}
            centre.token = operator.post("/v1/tokens", role)["token"]
            offer = {"centre": centre.name, "partition": "main", "currency": "CNY", **RATES}
            operator.post("/v1/offers", offer)
        queues = {centre.name: {"managed": False} for centre in centres}  # the engine chooses the nodes
        body = json.dumps({"document": {"centres": queues}}).encode()
        operator.send("PUT", "/v1/policy", body, {"Content-Type": "application/json"})
        operator.post("/v1/projects/default/grants", {"amount": "100000000.00 CNY"})
        for centre in centres:
            self.start_agent(centre.name)
        known = 0
        for event in operator.events("/v1/events?follow=true"):
            known += event["kind"] == "inventory-changed"
            if known == len(centres):
                return

    def start_server(self) -> None:
        settings = {
            "data": str(self.folder / "server"),
            "host": "0.0.0.0",  # all of its own namespace
            "port": PORT,
            "embedded": None,
        }
        place = self.network.places["server"]
        process = Process("server", place, settings, self.hours, self.folder / "server.stderr")
        with self._changed:
            self.server = process
            self._changed.notify_all()

    def kill_server(self) -> None:
        with self._changed:
            assert self.server is not None
            self.server.kill()

    def start_agent(self, name: str, clock_ms: int = 0) -> None:
        centre = self.centres[name]
        settings = centre.settings | {
            "centre": name,
            "driver": centre.driver,
            "server": self.proxy.address,
            "token": centre.token,
            "state": str(self.folder / name),
        }
        stderr = self.folder / f"{name}.stderr"
        centre.agent = Process("agent", self.network.places[name], settings, self.hours, stderr, clock_ms)

    def kill_agent(self, name: str) -> None:
        agent = self.centres[name].agent
        assert agent is not None
        agent.kill()

    @property
    def operator(self) -> Client:
        return _Client(self, (self.folder / "server" / "operator.token").read_text())

    def serving(self) -> Process:
        with self._changed:
            self._changed.wait_for(lambda: self.server is not None and not self.server.ended)
            assert self.server is not None
            return self.server

    def broken(self, server: Process) -> None:
        """It was killed, or the machine is so busy that it did not answer: both pass."""
        with self._changed:
            self._changed.wait_for(lambda: self.server is not server or server.ended, 1)

    def check_processes(self) -> None:
        """All live, and none has more and more files open."""
        for process in (self.server, *(centre.agent for centre in self.centres.values())):
            assert process is not None
            assert not process.ended, f"pid {process.pid} ended by itself"
            first = self.first.setdefault(process.pid, process.descriptors)
            assert process.descriptors <= first + DESCRIPTORS_MORE, (process.pid, first, process.descriptors)

    def said(self) -> str:
        """The last words of all programs."""
        texts = [f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.stderr"))]
        return "\n".join(texts)

    def close(self) -> None:
        for process in (*(centre.agent for centre in self.centres.values()), self.server):
            if process is not None:
                process.kill()
