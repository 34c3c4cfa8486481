"""From submitting a job to its first instruction, and how many jobs a second begin and end.

The job itself writes the time at which it runs, on the same clock as the client's. Beside Baygrid, in the
same run: a bare subprocess (neither durable nor queued) and HyperQueue (queued, not durable).
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.region import Running, region

LATENCY_JOBS = 200
THROUGHPUT_JOBS, BATCH = 2_000, 500
STAMP = "date +%s.%N"


def measure(database: str | None, *, embedded: bool) -> dict[str, Any]:
    """Milliseconds from just before the request to the job's own stamp; jobs a second from first to last."""
    with region(database, embedded=embedded, separate=not embedded) as running:
        _latency(running, -1)  # code is loaded, connections are made
        latencies = sorted(_latency(running, number) for number in range(LATENCY_JOBS))
        rate = _throughput(running)
    return {
        "submit_to_start_p50_ms": round(_percentile(latencies, 0.50), 1),
        "submit_to_start_p99_ms": round(_percentile(latencies, 0.99), 1),
        "starts_per_s": round(rate),
    }


def _latency(running: Running, number: int) -> float:
    stamp = running.folder / f"stamp-{number}"
    job = {"name": "noop", "project": "default", "time": "1m", "run": f"{STAMP} > {stamp}"}
    begun = time.time()
    submitted = running.client.submit([job])[0]
    for _ in running.client.events(submitted["id"]):
        pass
    return (float(stamp.read_text()) - begun) * 1000


def _throughput(running: Running) -> float:
    jobs = [{"name": "noop", "project": "default", "time": "1m", "run": ":"}] * BATCH
    last = ""
    begun = time.perf_counter()
    for _ in range(THROUGHPUT_JOBS // BATCH):
        last = running.client.submit(jobs)[-1]["id"]
    for _ in running.client.events(last):
        pass
    # Jobs start in their order, so only the last few can still run.
    for state in ("QUEUED", "ACTIVE"):
        for job in running.client.items("/v1/jobs", state=state):
            for _ in running.client.events(job["id"]):
                pass
    elapsed = time.perf_counter() - begun
    failed = running.client.items("/v1/jobs", state="FAILED", limit=1)
    if failed:
        raise RuntimeError(f"a no-op job failed: {failed[0]}")
    return THROUGHPUT_JOBS / elapsed


def bare_subprocess() -> dict[str, Any]:
    """What the machine itself needs to start a process: the floor."""
    with tempfile.TemporaryDirectory() as folder:
        latencies = []
        for number in range(LATENCY_JOBS):
            stamp = Path(folder) / str(number)
            begun = time.time()
            subprocess.run(["/bin/sh", "-c", f"{STAMP} > {stamp}"], check=True)
            latencies.append((float(stamp.read_text()) - begun) * 1000)
        begun = time.perf_counter()
        for _ in range(THROUGHPUT_JOBS):
            subprocess.run(["/bin/sh", "-c", ":"], check=True)
        rate = THROUGHPUT_JOBS / (time.perf_counter() - begun)
    return _figures(latencies, rate)


def hyperqueue() -> dict[str, Any]:
    """HyperQueue's own local cluster, by its Python API. `wait_for_jobs` polls once a second, so the tasks'
    own stamps are taken: the last stamp of a batch is its end."""
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(LocalCluster())
        cluster.start_worker(WorkerConfig(cores=2))
        client = cluster.client()

        def run(commands: list[str], watch: Callable[[], float]) -> float:
            job = Job(default_workdir=folder)
            for command in commands:
                job.program(["/bin/sh", "-c", command], stdout=None, stderr=None)
            begun = time.time()
            client.wait_for_jobs([client.submit(job)])
            return watch() - begun

        latencies = []
        for number in range(20):
            stamp = folder / str(number)
            latencies.append(run([f"{STAMP} > {stamp}"], partial(_stamped, stamp)) * 1000)
        stamps = [folder / f"t{number}" for number in range(THROUGHPUT_JOBS)]
        elapsed = run([f": > {stamp}" for stamp in stamps], lambda: max(s.stat().st_mtime for s in stamps))
    return _figures(latencies, THROUGHPUT_JOBS / elapsed)


def _stamped(stamp: Path) -> float:
    return float(stamp.read_text())


def _figures(latencies: list[float], rate: float) -> dict[str, Any]:
    latencies.sort()
    return {
        "submit_to_start_p50_ms": round(_percentile(latencies, 0.50), 1),
        "submit_to_start_p99_ms": round(_percentile(latencies, 0.99), 1),
        "starts_per_s": round(rate),
    }


def _percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]
