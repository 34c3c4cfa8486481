"""200 people signed in at the portal, each at another page every five seconds, and 500 who follow one log, on
one server: how long pages take then and at rest, and whether every line of the log came to everybody."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlencode

from baygrid.app.signing_in import COOKIE
from benchmarks.region import Running, region

PEOPLE, STREAMS = 200, 500
THINK_S, SECONDS = 5.0, 60
"""Of a page, on average (exponential); of the whole."""
BROWSERS = 20
"""Sessions that they share: to sign in is made slow, and not what is measured."""
AT_REST = 30
"""So often one person, alone, asks for each page."""
LINES, LINE_S = 3_000, 0.02
COMING_S = 15.0
"""In which the followers come, before pages are timed."""
JOBS = 60
"""That have run, or wait, so that lists have rows."""
LANGUAGES = ("en", "zh-Hans", "zh-Hant", "ja")
PAGES = (
    "", "offers", "submit", "jobs", "jobs/{done}", "jobs/{waiting}", "queue", "projects/default", "invoices",
    "data", "measures", "observatory", "account",
)  # fmt: skip


def measure() -> dict[str, Any]:
    with region(None, embedded=True) as running:
        done = [_submitted(running, "echo hello") for _ in range(JOBS // 2)]
        waiting = [_submitted(running, "sleep 600", "10m", cpus=40) for _ in range(JOBS // 2)]
        pages = [page.format(done=done[-1], waiting=waiting[-1]) for page in PAGES]
        return asyncio.run(_measured(running, pages))


def _submitted(running: Running, run: str, time: str = "3m", cpus: int = 1) -> str:
    resources = {"cpus": cpus, "memory": "256MiB"}
    job = {"name": "talks", "project": "default", "time": time, "resources": resources, "run": run}
    return str(running.client.post("/v1/jobs", job)["id"])


async def _measured(running: Running, pages: list[str]) -> dict[str, Any]:
    browsers = [await _signed_in(running, LANGUAGES[n % len(LANGUAGES)]) for n in range(BROWSERS)]
    rest: dict[str, list[float]] = defaultdict(list)
    for n in range(AT_REST + 1):
        for page in pages:
            took = await browsers[n % len(LANGUAGES)].look(page)
            if n >= len(LANGUAGES):  # before, what the first look makes ready
                rest[page].append(took)
    people = [Person(running.port, browsers[n % BROWSERS].headers) for n in range(PEOPLE)]
    talk = _submitted(running, f"for n in $(seq {LINES}); do echo line $n; sleep {LINE_S}; done")
    followers = []
    for n in range(STREAMS):
        followers.append(asyncio.create_task(people[n % PEOPLE].follow(talk)))
        await asyncio.sleep(COMING_S / STREAMS)
    loaded: dict[str, list[float]] = defaultdict(list)
    await asyncio.gather(*(_reads(each, pages, Random(n), loaded) for n, each in enumerate(people)))
    logs = await asyncio.gather(*followers)
    lines = [b"line %d" % n for n in range(1, LINES + 1)]
    return {
        "people": PEOPLE,
        "streams": STREAMS,
        "pages": sum(map(len, loaded.values())),
        "p50_ms_at_rest": _percentile(rest, 0.5),
        "p99_ms_at_rest": _percentile(rest, 0.99),
        "p50_ms_loaded": _percentile(loaded, 0.5),
        "p99_ms_loaded": _percentile(loaded, 0.99),
        "slowest_page_p50_ms_loaded": max(_percentile({page: it}, 0.5) for page, it in loaded.items()),
        "log_lines_lost": sum(_lost(log, lines) for log in logs),
    }


async def _reads(person: Person, pages: list[str], random: Random, taken: dict[str, list[float]]) -> None:
    """Page after page, each for a while, until the time is over."""
    until = time.perf_counter() + SECONDS
    await asyncio.sleep(random.uniform(0, THINK_S))
    while time.perf_counter() < until:
        page = random.choice(pages)
        taken[page].append(await person.look(page))
        await asyncio.sleep(random.expovariate(1 / THINK_S))


def _percentile(taken: Mapping[str, list[float]], share: float) -> float:
    found = sorted(it for each in taken.values() for it in each)
    return round(found[int(share * (len(found) - 1))] * 1000, 1)


def _lost(log: bytes, lines: list[bytes]) -> int:
    """Of a log that came in another order, or twice, at least one."""
    came = log.splitlines()
    return 0 if came == lines else max(1, len(set(lines).difference(came)))


@dataclass
class Person:
    """A browser: one connection that is kept for pages, others for logs."""

    port: int
    headers: str
    _kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def look(self, page: str) -> float:
        """How long it took until all of the page was here, in seconds."""
        began = time.perf_counter()
        if self._kept is None or self._kept[0].at_eof():
            self._kept = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._kept
        writer.write(f"GET /portal/{page} HTTP/1.1\r\n{self.headers}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
        assert head.startswith(b"HTTP/1.1 200 "), (page, head[:200])
        return time.perf_counter() - began

    async def follow(self, job: str) -> bytes:
        """The log as it grows, to its end; put together of its chunks."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET /v1/jobs/{job}/logs?follow=true HTTP/1.1\r\n{self.headers}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head[:200]
        log = bytearray()
        while size := int(await reader.readline(), 16):
            log += await reader.readexactly(size)
            await reader.readexactly(2)
        writer.close()
        return bytes(log)


async def _signed_in(running: Running, language: str) -> Person:
    """With a session of its own."""
    password = (running.folder / "server" / "admin.password").read_text().strip()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    form = urlencode({"name": "admin", "password": password})
    host = f"Host: 127.0.0.1:{running.port}\r\nAccept-Language: {language}\r\n"
    head = f"{host}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n"
    writer.write(f"POST /portal/sign-in HTTP/1.1\r\n{head}Connection: close\r\n\r\n{form}".encode())
    answer = await reader.read(-1)
    writer.close()
    secret = re.findall(rf"{COOKIE}=([\w-]+)".encode(), answer)[0].decode()
    return Person(running.port, f"{host}Cookie: {COOKIE}={secret}\r\n")
