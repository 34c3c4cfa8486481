"""200 people who look at pages, each every two seconds, beside 500 who follow one log, on one server: how
long pages take then and at rest, and whether every line of the log came to everybody."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.region import Running, region

PEOPLE, STREAMS = 200, 500
PAUSE_S, SECONDS = 2.0, 20
LINES = 2_000
PAGES = ("/v1/jobs", "/v1/offers", "/v1/projects", "/v1/centres", "/portal/sign-in")


def measure() -> dict[str, Any]:
    with region(None, embedded=True) as running:
        rest = asyncio.run(_people(running, people=1, seconds=5, pause_s=0.02))
        pause = SECONDS / LINES
        job = {
            "name": "talks",
            "project": "default",
            "time": "10m",
            "resources": {"cpus": 1, "memory": "512MiB"},
            "run": f"for n in $(seq {LINES}); do echo line $n; sleep {pause}; done",
        }
        id = str(running.client.post("/v1/jobs", job)["id"])
        loaded, lost = asyncio.run(_loaded(running, id))
    return {
        "people": PEOPLE,
        "streams": STREAMS,
        "pages": len(loaded),
        "p99_ms_at_rest": round(_p99(rest), 1),
        "p99_ms_loaded": round(_p99(loaded), 1),
        "log_lines_lost": lost,
    }


def _p99(taken: list[float]) -> float:
    return sorted(taken)[int(0.99 * (len(taken) - 1))] * 1000


async def _loaded(running: Running, job: str) -> tuple[list[float], int]:
    """How long each page took, and how many lines did not come, of all followers."""
    followers = [asyncio.create_task(_follow(running, job)) for _ in range(STREAMS)]
    taken = await _people(running, people=PEOPLE, seconds=SECONDS, pause_s=PAUSE_S)
    expected = b"".join(b"line %d\n" % n for n in range(1, LINES + 1)).splitlines()
    lost = 0
    for log in await asyncio.gather(*followers):
        lines = log.splitlines()
        lost += len(expected) if lines[: len(expected)] != expected else 0
    return taken, lost


async def _people(running: Running, *, people: int, seconds: float, pause_s: float) -> list[float]:
    taken: list[float] = []

    async def looks(number: int) -> None:
        await asyncio.sleep(pause_s * number / people)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            page = PAGES[len(taken) % len(PAGES)]
            began = time.perf_counter()
            head, _ = await _get(running, page)
            taken.append(time.perf_counter() - began)
            assert b" 200 " in head.split(b"\r\n")[0] + b" ", (page, head[:80])
            await asyncio.sleep(pause_s)

    await asyncio.gather(*(looks(number) for number in range(people)))
    return taken


async def _get(running: Running, path: str) -> tuple[bytes, bytes]:
    """The head and the body of an answer on a connection of its own, to the connection's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    writer.write(f"{head}Authorization: Bearer {running.operator.strip()}\r\n\r\n".encode())
    answer = await reader.read(-1)
    writer.close()
    found, _, body = answer.partition(b"\r\n\r\n")
    return found, body


async def _follow(running: Running, job: str) -> bytes:
    """The log as it grows, to its end; put together of its chunks."""
    _, body = await _get(running, f"/v1/jobs/{job}/logs?follow=true")
    log, at = bytearray(), 0
    while (end := body.find(b"\r\n", at)) >= 0 and (size := int(body[at:end], 16)):
        log += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(log)
