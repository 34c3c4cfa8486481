"""One server for a large region: 200 agents, 100,000 nodes, 10,000 running jobs, on one core.

The server is a process of its own, held to one core; the agents are played by another process on another.
What one request costs the server is measured again with a hundred thousand finished jobs: it must not depend
on them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baygrid.centres.agent import Agent
from baygrid.centres.journal import FileJournal
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import AttemptReport, Desired, Report
from baygrid.ports.wire import decode, encode, inventory_digest
from benchmarks.large_region import JOB, Made, inventory, make
from benchmarks.region import CLI
from benchmarks.stand_ins import Connection, Mix, Seen, play, wall_ms
from tests.centres.fakes import FakeCentre

CENTRES, NODES, RUNNING, FINISHED = 200, 500, 10_000, 100_000
JOBS_S = 10
WARM_S, SECONDS = 30.0, 70.0
REPORTS = ("heartbeat", "change", "full")
ASKED = 300
SERVER_CORE, OTHER_CORE = 0, 1


def measure() -> dict[str, Any]:
    """Latencies in milliseconds by kind of request, CPU time in milliseconds, memory in MiB."""
    os.sched_setaffinity(0, {OTHER_CORE})
    with contextlib.suppress(PermissionError):  # where it may, before what else this machine does
        os.nice(-19)
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as folder:
        figures = _region(Path(folder) / "large")
        figures["one_request_cpu_ms"] = {
            f"{finished} finished": _costs(Path(folder) / f"finished-{finished}", finished)
            for finished in (0, FINISHED)
        }
        figures["agent_ms"] = {f"{n} closed": _agent(Path(folder) / f"{n}", n) for n in (0, FINISHED)}
    return figures


def _region(folder: Path) -> dict[str, Any]:
    made = make(folder, centres=CENTRES, nodes=NODES, running=RUNNING, finished=0)
    with _serving(made) as server:
        inventories = {name: inventory(name, NODES) for name in made.tokens}
        mix = Mix(server.port, made.operator, made.tokens, JOBS_S, WARM_S, SECONDS)

        async def run() -> tuple[Seen, float]:
            playing = asyncio.create_task(play(mix, inventories, JOB))
            await asyncio.sleep(WARM_S)
            before = server.cpu_s()
            return await playing, server.cpu_s() - before

        seen, cpu_s = asyncio.run(run())
        if seen.wrong:
            raise RuntimeError(f"{len(seen.wrong)} things went wrong, the first: {seen.wrong[0]}")
        reports = sorted(took for kind in REPORTS for took in seen.took.get(kind, ()))
        return {
            "centres": CENTRES,
            "nodes": CENTRES * NODES,
            "running": RUNNING,
            "report_p50_ms": round(_percentile(reports, 0.50), 1),
            "report_p99_ms": round(_percentile(reports, 0.99), 1),
            "report_max_ms": round(reports[-1], 1),
            "reports_per_s": round(len(reports) / SECONDS, 1),
            "p50_p99_ms": {kind: _both(took) for kind, took in sorted(seen.took.items())},
            "starts_per_s": round(seen.starts / SECONDS, 1),
            "ends_per_s": round(seen.ends / SECONDS, 1),
            "server_cpu_share": round(cpu_s / SECONDS, 3),
            "server_peak_mib": server.peak_mib(),
            "load": round(os.getloadavg()[0], 1),
        }


def _both(took: list[float]) -> list[float]:
    ordered = sorted(took)
    return [round(_percentile(ordered, 0.50), 1), round(_percentile(ordered, 0.99), 1)]


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Server:
    pid: int
    port: int

    def cpu_s(self) -> float:
        """Of all its threads, those that have ended too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


@contextmanager
def _serving(made: Made) -> Iterator[Server]:
    command = [
        "taskset",
        "-c",
        str(SERVER_CORE),
        str(CLI),
        "serve",
        "--rate",
        "0",
        "--port",
        "0",
        "--data",
        str(made.folder),
    ]
    with (made.folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--no-embedded-centre", "--json"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Server(process.pid, int(ready["server"].rsplit(":", 1)[1]))
    finally:
        process.terminate()
        process.wait(timeout=60)


def _costs(folder: Path, finished: int) -> dict[str, float]:
    """CPU time of the server for one request, when it does nothing else."""
    made = make(folder, centres=4, nodes=NODES, running=200, finished=finished)
    name, token = next(iter(made.tokens.items()))
    key, parts, ran = Key.new(), inventory(name, NODES), []
    numbers = iter(range(1, 1 << 30))

    def report() -> tuple[str, str, bytes]:
        told = Report(
            1, 2, next(numbers), 1, wall_ms(), inventory_digest(parts), None, key.public_key, tuple(ran)
        )
        return "POST", "/v1/agent/report", encode(told)

    asked: dict[str, tuple[str, Callable[[], tuple[str, str, bytes]]]] = {
        "report": (token, report),
        "desired, all": (token, lambda: ("GET", "/v1/agent/desired?incarnation=2&after=0", b"")),
        "desired, none": (token, lambda: ("GET", "/v1/agent/desired?incarnation=2&after=1", b"")),
        "jobs that run": (made.operator, lambda: ("GET", "/v1/jobs?state=ACTIVE&limit=50", b"")),
        "centres": (made.operator, lambda: ("GET", "/v1/centres", b"")),
        "submit": (made.operator, lambda: ("POST", "/v1/jobs", json.dumps(JOB).encode())),
    }
    with _serving(made) as server:
        _until_idle(server)
        asked_all = asyncio.run(Connection(server.port, token).send(*asked["desired, all"][1]()))
        ran += [
            AttemptReport(order.attempt, order.token, AttemptState.RUNNING, "R", started_at=wall_ms())
            for order in decode(Desired, asked_all[1]).orders
        ]
        return {kind: _cost(server, *how) for kind, how in asked.items()}


def _until_idle(server: Server) -> None:
    """It has read what it wants to know of the past."""
    before = -1.0
    while server.cpu_s() - before > 0.02:
        before = server.cpu_s()
        time.sleep(1)


def _cost(server: Server, token: str, request: Callable[[], tuple[str, str, bytes]]) -> float:
    async def ask() -> float:
        connection, before = Connection(server.port, token), server.cpu_s()
        for _ in range(ASKED):
            status, body, _ = await connection.send(*request())
            if status not in (200, 201):
                raise RuntimeError(f"{status}: {body[:300]!r}")
        return round((server.cpu_s() - before) * 1000 / ASKED, 2)

    return asyncio.run(ask())


def _agent(folder: Path, closed: int) -> dict[str, float]:
    """One tick and one report of the agent itself, where nothing runs and so much has ended."""
    folder.mkdir()
    journal = FileJournal(folder / "journal")
    now = wall_ms()
    journal.append([{"t": "closed", "at": [(f"att-{n}", now) for n in range(closed)]}])
    agent = Agent("c", FakeCentre(), journal, Key.new(), now)
    took: dict[str, list[float]] = {"tick": [], "report": []}
    for _ in range(ASKED):
        now += 1_000
        for kind, step in (("tick", agent.tick), ("report", agent.report)):
            began = time.process_time()
            step(now)
            took[kind].append((time.process_time() - began) * 1000)
    return {kind: round(statistics.median(all), 3) for kind, all in took.items()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
