"""A real `baygrid serve` whose centres a test speaks for: what they have, what runs there, when they are
silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from baygrid.client.connection import Connection
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import AttemptReport, NodeReport, PartitionReport, Report
from baygrid.ports.wire import inventory_digest, to_json
from tests.services import free_port

BAYGRID = str(Path(sys.executable).parent / "baygrid")
PATIENCE_S = 60


def nodes(count: int = 1, cpus: int = 4, **accelerators: int) -> tuple[NodeReport, ...]:
    return tuple(NodeReport(f"n{n}", cpus, 16 * 1024, accelerators) for n in range(count))


class Live:
    """A server in its own process, an operator's client, and the command line as this operator types it."""

    def __init__(self, folder: Path, *serving: str) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "XDG_"))}
        self._environ = {**kept, "HOME": str(folder), "COLUMNS": "200"}
        self._folder = folder
        port = free_port()
        with (folder / "server.log").open("w") as log:
            self._server = subprocess.Popen(
                [BAYGRID, "serve", "--port", str(port), "--no-embedded-centre", *serving],
                env=self._environ, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._server.stdout is not None
        assert f":{port}" in self._server.stdout.readline(), (folder / "server.log").read_text()
        secret = (folder / ".baygrid" / "operator.token").read_text().strip()
        self.address = f"http://127.0.0.1:{port}"
        self.client = Connection(self.address, secret)
        self.client.post("/v1/organisations", {"name": "lab", "kind": "university"})
        self.add_project("demo")

    def close(self) -> None:
        self.client.close()
        self._server.terminate()
        self._server.communicate(timeout=PATIENCE_S)

    def add_project(self, name: str) -> None:
        body = {"name": name, "organisation": "lab", "currency": "CNY", "grant": "1000000 CNY"}
        self.client.post("/v1/projects", body)

    def call(self, *arguments: str, code: int = 0) -> str:
        """What a command prints."""
        done = subprocess.run(
            [BAYGRID, *arguments], env=self._environ, cwd=self._folder, text=True, check=False,
            capture_output=True, timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == code, (
            f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    def declare(self, **policy: Any) -> None:
        self.client.send("PUT", "/v1/policy", json={"document": policy})

    def submit(self, **fields: Any) -> str:
        """A job of an hour and one whole node of 4 cpus, unless it says otherwise."""
        resources = {"cpus": 4, "memory": 1} | fields.pop("resources", {})
        whole = {"name": "job", "project": "demo", "run": "true", "time": "1h", **fields}
        return str(self.client.submit([{**whole, "resources": resources}])[0]["id"])

    def state(self, job: str) -> str:
        return str(self.client.job(job)["state"])

    def placed(self, job: str) -> dict[str, Any]:
        """The attempt that it has, or gets before long."""
        attempts = self.until(lambda: self.client.job(job)["attempts"], f"a place for {job}")
        return dict(attempts[-1])

    def until(self, look: Any, what: str) -> Any:
        """What `look` finds once it finds something."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < deadline, f"{what} did not come"
            time.sleep(0.02)  # between two looks
        return found

    def explained(
        self, job: str, centre: str, partition: str = "main"
    ) -> tuple[str, dict[str, dict[str, Any]]]:
        """`baygrid explain`: its sentence, and the reasons of a partition's candidates by code."""
        told = json.loads(self.call("explain", job, "--json"))
        assert told["outcome"] == "waiting", told
        where = (centre, partition)
        rows = [row for row in told["candidates"] if (row["centre"], row["partition"]) == where]
        return told["text"], {reason["code"]: reason for row in rows for reason in row["reasons"]}


@dataclass
class Centre:
    """With a partition `main`, whose offer costs `hour` for a cpu or for an `accelerator`, and `bare` alike
    but without an offer."""

    live: Live
    name: str
    jurisdiction: str = "CN-QH"
    has: Sequence[NodeReport] = nodes()
    time_limit_s: int | None = None
    currency: str = "CNY"
    accelerator: str | None = None
    hour: str = "1"
    seq: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        body = {"name": self.name, "jurisdiction": self.jurisdiction}
        self.live.client.post("/v1/centres", body)
        made = self.live.client.post("/v1/tokens", {"role": "centre", "centre": self.name})
        self._client = Connection(self.live.address, made["token"])
        price = {"accelerator_hour": self.hour} if self.accelerator else {"cpu_hour": self.hour}
        offer = {"centre": self.name, "partition": "main", "currency": self.currency, **price}
        self.live.client.post(
            "/v1/offers", offer | ({"accelerator": self.accelerator} if self.accelerator else {})
        )

    def close(self) -> None:
        self._client.close()

    def report(self, *attempts: AttemptReport) -> None:
        self.seq += 1
        parts = ("main", "bare")
        inventory = tuple(PartitionReport(part, tuple(self.has), self.time_limit_s) for part in parts)
        now = time.time_ns() // 1_000_000
        message = Report(
            1, 1, self.seq, 0, now, inventory_digest(inventory), inventory, "", tuple(attempts)
        )  # fmt: skip
        self._client.post("/v1/agent/report", to_json(message))

    def says(self, job: str, state: AttemptState, **more: Any) -> None:
        """Of the job's last attempt."""
        for order in self._client.get("/v1/agent/desired", incarnation=1)["orders"]:
            self.tokens[order["attempt"]] = order["token"]
        attempt = self.live.placed(job)["id"]
        self.report(AttemptReport(attempt, self.tokens[attempt], state, **more))

    def stops(self) -> list[str]:
        """Attempts that it is to stop."""
        return [stop["attempt"] for stop in self._client.get("/v1/agent/desired", incarnation=1)["stops"]]
