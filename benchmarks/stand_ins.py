"""Many agents in one process that speak the real protocol and run nothing: heartbeats, parked questions,
starts, ends with signed usage, each at its time. Timed is each request, from its first byte to the answer's
last.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import (
    AttemptReport,
    Desired,
    Order,
    PartitionReport,
    Report,
    ReportAnswer,
    SignedUsage,
    Usage,
)
from baygrid.ports.wire import decode, encode, inventory_digest, usage_bytes

HEARTBEAT_S, FULL_S, TOGETHER_S, PARKED_S = 10.0, 60.0, 0.02, 30


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Connection:
    """Keep-alive HTTP/1.1 to 127.0.0.1, one request at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes, float]:
        """Status, body, milliseconds."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 26)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        began = time.perf_counter()
        writer.write(f"{head}{kind}\r\n".encode() + body)
        top = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(top.split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length) if length else b""
        return int(top[9:12]), answer, (time.perf_counter() - began) * 1000


@dataclass(slots=True)
class Seen:
    """Milliseconds by kind of request, and how often something went otherwise than it should."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    starts: int = 0
    ends: int = 0


class StandIn:
    """One agent."""

    def __init__(
        self, port: int, token: str, inventory: tuple[PartitionReport, ...], key: Key, seen: Seen
    ) -> None:
        self._reports, self._orders = Connection(port, token), Connection(port, token)
        self._inventory, self._key, self._seen = inventory, key, seen
        self._digest, self._known = inventory_digest(inventory), ""
        self._incarnation, self._seq, self._gen = wall_ms(), 0, 0
        self._attempts: dict[str, tuple[Order, int]] = {}
        self._final: dict[str, AttemptReport] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def running(self) -> int:
        return len(self._attempts) - len(self._final)

    def end(self, state: AttemptState = AttemptState.SUCCEEDED, attempt: str | None = None) -> None:
        """One that runs ends now."""
        chosen = attempt or next((one for one in self._attempts if one not in self._final), None)
        if chosen is None or chosen not in self._attempts:
            return
        order, began = self._attempts[chosen]
        now = wall_ms()
        usage = Usage(chosen, 0, began, now, order.count, order.cpus, order.memory_mib, None, 0, 1.0, 100)
        self._final[chosen] = AttemptReport(
            chosen, order.token, state, "done", 0 if state is AttemptState.SUCCEEDED else None,
            started_at=began, ended_at=now, log_size=0,
            usage=(SignedUsage(usage, self._key.sign(usage_bytes(usage))),),
        )  # fmt: skip
        self._wake.set()

    async def report_on(self, start_after: float) -> None:
        """Reports for ever: when something changed, and as a heartbeat; all of it once a minute."""
        await asyncio.sleep(start_after)
        full_at = 0.0
        while True:
            full = time.perf_counter() >= full_at
            if full:
                full_at = time.perf_counter() + FULL_S
            await self._report(full)
            try:
                await asyncio.wait_for(self._wake.wait(), HEARTBEAT_S)
                await asyncio.sleep(TOGETHER_S)
            except TimeoutError:
                pass

    async def _report(self, full: bool) -> None:
        self._wake.clear()
        changed, self._changed = self._changed, set()
        self._seq += 1
        told = {
            one: AttemptReport(one, order.token, AttemptState.RUNNING, "R", started_at=began)
            for one, (order, began) in self._attempts.items()
            if full or one in changed
        }
        known = self._known == self._digest
        report = Report(
            1, self._incarnation, self._seq, self._gen, wall_ms(), self._digest,
            None if known else self._inventory, self._key.public_key, tuple((told | self._final).values()),
        )  # fmt: skip
        status, body, took = await self._reports.send("POST", "/v1/agent/report", encode(report))
        if status != 200:
            self._seen.wrong.append(f"report {status}: {body[:200]!r}")
            return
        kind = (
            "with inventory"
            if not known
            else "full"
            if full
            else "change"
            if told or self._final
            else "heartbeat"
        )
        self._seen.took[kind].append(took)
        answer = decode(ReportAnswer, body)
        self._known = answer.inventory_digest
        self._seen.wrong += [f"{attempt}: {why}" for attempt, why in answer.refused]
        for attempt in answer.closed:
            self._attempts.pop(attempt, None)
            self._seen.ends += self._final.pop(attempt, None) is not None

    async def take_orders(self) -> None:
        """The parked question, for ever."""
        while True:
            path = f"/v1/agent/desired?incarnation={self._incarnation}&after={self._gen}&wait={PARKED_S}"
            status, body, _ = await self._orders.send("GET", path)
            if status != 200:
                self._seen.wrong.append(f"desired {status}: {body[:200]!r}")
                await asyncio.sleep(1)
                continue
            desired = decode(Desired, body)
            for order in desired.orders:
                if order.attempt not in self._attempts:
                    began = wall_ms()
                    self._attempts[order.attempt] = (order, began)
                    self._seen.starts += order.state is AttemptState.PLACED
                    self._changed.add(order.attempt)
            for stop in desired.stops:
                self.end(AttemptState.CANCELLED, stop.attempt)
            self._gen = desired.gen
            if self._changed:
                self._wake.set()


@dataclass(frozen=True, slots=True)
class Mix:
    """`jobs_s`: so many end and so many are submitted each second."""

    port: int
    operator: str
    tokens: Mapping[str, str]
    jobs_s: int
    warm_s: float
    seconds: float


async def play(mix: Mix, inventory_of: Mapping[str, tuple[PartitionReport, ...]], job: object) -> Seen:
    """Everything for `warm_s`, then measured for `seconds`."""
    seen, key, chance = Seen(), Key.new(), random.Random(7)
    agents = [StandIn(mix.port, token, inventory_of[name], key, seen) for name, token in mix.tokens.items()]
    tasks = [asyncio.create_task(agent.take_orders()) for agent in agents]
    tasks += [asyncio.create_task(agent.report_on(chance.uniform(0, HEARTBEAT_S))) for agent in agents]
    tasks.append(asyncio.create_task(_jobs(mix, agents, chance, seen, job)))
    tasks.append(asyncio.create_task(_looks(mix, seen)))
    await asyncio.sleep(mix.warm_s)
    seen.took.clear()
    seen.starts = seen.ends = 0
    await asyncio.sleep(mix.seconds)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    return seen


async def _jobs(mix: Mix, agents: list[StandIn], chance: random.Random, seen: Seen, job: object) -> None:
    connection, body = Connection(mix.port, mix.operator), orjson.dumps(job)
    await asyncio.sleep(HEARTBEAT_S)
    while True:
        status, answer, took = await connection.send("POST", "/v1/jobs", body)
        if status != 201:
            seen.wrong.append(f"submit {status}: {answer[:200]!r}")
        seen.took["submit"].append(took)
        chance.choice(agents).end()
        await asyncio.sleep(chance.expovariate(mix.jobs_s))


async def _looks(mix: Mix, seen: Seen) -> None:
    """A person at a terminal: jobs that run, one of them, centres."""
    connection = Connection(mix.port, mix.operator)
    while True:
        for kind, path in (
            ("list jobs", "/v1/jobs?state=ACTIVE&limit=50"),
            ("centres", "/v1/centres?limit=50"),
        ):
            status, answer, took = await connection.send("GET", path)
            if status == 200:
                seen.took[kind].append(took)
            else:
                seen.wrong.append(f"{kind} {status}: {answer[:200]!r}")
        await asyncio.sleep(2)
