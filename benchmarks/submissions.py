"""Durable submissions per second over HTTP, one job a request and in batches.

The centre is drained, so that jobs stay in the queue: what is measured is accepting them. Each is checked,
its money held, and written with its event before the answer.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks import http_load
from benchmarks.region import Running, region

JOB = {"name": "noop", "project": "default", "run": "true", "time": "1m"}
SINGLE, BATCHES, BATCH = 3_000, 40, 500


def measure(database: str | None) -> dict[str, Any]:
    """Requests and jobs a second; latencies in milliseconds."""
    with region(database, embedded=True) as running:
        running.client.post("/v1/centres/local/drain")
        one = _single(running, connections=1)
        many = _single(running, connections=8)
        batched = _batched(running)
    return {
        "single_per_s": round(many.per_second),
        "single_one_connection_per_s": round(one.per_second),
        "single_p50_ms": round(one.percentile(0.50), 2),
        "single_p99_ms": round(one.percentile(0.99), 2),
        "batched_jobs_per_s": round(batched.per_second * BATCH),
    }


def _single(running: Running, connections: int) -> http_load.Load:
    body = json.dumps(JOB).encode()
    requests = (
        http_load.post("/v1/jobs", running.operator, body, f"Idempotency-Key: {connections}-{i}\r\n")
        for i in range(SINGLE)
    )
    return _whole(http_load.run(running.port, requests, connections))


def _batched(running: Running) -> http_load.Load:
    body = json.dumps({"project": "default", "jobs": [JOB] * BATCH}).encode()
    requests = (http_load.post("/v1/jobs", running.operator, body) for _ in range(BATCHES))
    return _whole(http_load.run(running.port, requests, connections=2))


def _whole(load: http_load.Load) -> http_load.Load:
    if load.failed:
        raise RuntimeError(f"{load.failed} of {load.requests} submissions were refused")
    return load
