"""A real server, and agents beside it, as processes of their own, for one measurement."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baygrid.client.connection import Connection

CLI = Path(sys.executable).with_name("baygrid")
NODE = "n1:cpus=64,memory=64"
"""More than the machine has, so that a measurement is of the platform and not of two cores' worth of
slots."""


@dataclass(frozen=True, slots=True)
class Running:
    """`port` of the server on 127.0.0.1; `operator` may do everything in the project `default`."""

    port: int
    operator: str
    client: Connection
    folder: Path


@contextmanager
def region(database: str | None, *, embedded: bool, separate: bool = False) -> Iterator[Running]:
    """`embedded`: the server runs the centre; `separate`: an agent process does."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="baygrid-bench-")))
        command = ["serve", "--rate", "0", "--port", "0", "--data", str(folder / "server")]
        command += ["--embedded-centre", "--node", NODE] if embedded else ["--no-embedded-centre"]
        command += ["--database", database] if database else []
        ready = stack.enter_context(_started(command, folder))
        token = (folder / "server" / "operator.token").read_text()
        client = Connection(ready["server"], token)
        stack.callback(client.close)
        if not embedded:
            client.post("/v1/centres", {"name": "bench", "jurisdiction": "CN-QH", "driver": "local"})
            made = client.post("/v1/tokens", {"role": "centre", "centre": "bench"})
            price = {"accelerator_hour": "0", "cpu_hour": "0.20", "gib_hour": "0.02", "currency": "CNY"}
            client.post("/v1/offers", {"centre": "bench", "partition": "main", "accelerator": None} | price)
            if separate:
                agent = [
                    "agent",
                    "--centre",
                    "bench",
                    "--as-me",
                    "--state",
                    str(folder / "agent"),
                    "--node",
                    NODE,
                ]
                agent += ["--server", ready["server"], "--token", made["token"]]
                stack.enter_context(_started(agent, folder))
        if embedded or separate:
            _until_joined(client)
        yield Running(int(ready["server"].rsplit(":", 1)[1]), token, client, folder)


def _until_joined(client: Connection) -> None:
    """Before the centre's first report every job is impossible."""
    for _ in range(200):
        if any(centre["reachable"] for centre in client.items("/v1/centres")):
            return
        time.sleep(0.05)
    raise RuntimeError("the centre did not join within 10 s")


@contextmanager
def _started(arguments: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """A `baygrid` process that has said that it is ready, ended by its pid."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / f"{arguments[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [str(CLI), *arguments, "--json"], stdout=subprocess.PIPE, stderr=log, env=environment, text=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"`baygrid {arguments[0]}` did not start: {log.name}")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(timeout=20)
