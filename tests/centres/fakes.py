"""A centre, a server and a key that are only values: for the agent's brain and its loop."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from baygrid.centres.journal import Entry
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation, StagingFailed
from baygrid.ports.messages import (
    WITHDRAWN,
    AttemptReport,
    Desired,
    Inquiry,
    NodeReport,
    Order,
    PartitionReport,
    Refused,
    Report,
    ReportAnswer,
    SignedUsage,
    Stop,
    Unreachable,
)
from tests.centres.site import NODES, PARTITION

INVENTORY = (PartitionReport(PARTITION, tuple(NodeReport(name, 8, 8192, {"H100": 8}) for name in NODES)),)


class MemoryJournal:
    """What was appended survives the agent's object, not the process."""

    def __init__(self) -> None:
        self.appended = 0
        self.syncs = 0
        self._lines: list[bytes] = []

    def read(self) -> list[Entry]:
        return [entry for line in self._lines for entry in orjson.loads(line)]

    def append(self, entries: Sequence[Entry]) -> None:
        self._lines.append(orjson.dumps(list(entries)))
        self.appended += len(entries)
        self.syncs += 1

    def rewrite(self, entries: Sequence[Entry]) -> None:
        self._lines = [orjson.dumps(list(entries))]
        self.appended = 0
        self.syncs += 1


class FakeKey:
    public_key = "cafe"

    def sign(self, data: bytes) -> str:
        return f"{len(data):x}"


class FakeCentre:
    """Does what a driver promises, in memory. `started` counts commands that really began, by token."""

    def __init__(self) -> None:
        self.states: dict[str, Observation] = {}
        self.started: dict[str, int] = {}
        self.logs: dict[str, bytes] = {}
        self.prepared: list[str] = []
        self.stops: list[Stop] = []
        self.forgotten: list[str] = []
        self.entrusted: dict[str, dict[str, str]] = {}
        self.broken: str | None = None  # what every call that starts or looks fails with
        self.refuses_staging: str | None = None
        self.queues = False  # it has a queue of its own: what is started there waits until `begin`
        self.parts = INVENTORY
        self.able: frozenset[str] = frozenset()

    def capabilities(self) -> frozenset[str]:
        return self.able

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self.parts

    def prepare(self, order: Order, fetch: Fetch) -> None:
        if self.refuses_staging:
            raise StagingFailed(self.refuses_staging)
        for digest in (order.workdir, order.restore, *order.inputs.values()):
            if digest is not None:
                b"".join(fetch(digest))
        self.prepared.append(order.token)

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        self.entrusted[order.token] = dict(values)

    def start(self, order: Order, now: Instant) -> None:
        if self.broken:
            raise OSError(self.broken)
        if order.token not in self.states:
            if self.queues:
                self.states[order.token] = Observation(AttemptState.WAITING)
                return
            self.begin(order.token, now)

    def begin(self, token: str, now: Instant, nodes: tuple[str, ...] = ()) -> None:
        """The command begins."""
        if self.states.get(token, Observation(AttemptState.WAITING)).state is AttemptState.WAITING:
            self.started[token] = self.started.get(token, 0) + 1
            self.states[token] = Observation(AttemptState.RUNNING, started_at=now, nodes=nodes)

    def stop(self, stop: Stop, now: Instant) -> None:
        self.stops.append(stop)
        seen = self.states.get(stop.token)
        if seen is None:
            self.states[stop.token] = Observation(AttemptState.CANCELLED, ended_at=now)
        elif not seen.state.final and (stop.reason != WITHDRAWN or seen.started_at is None):
            self.end(stop.token, AttemptState.CANCELLED, now)

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        if self.broken:
            raise OSError(self.broken)
        return {one.token: self.states[one.token] for one in orders if one.token in self.states}

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        return self.logs.get(order.token, b"")[offset : offset + limit]

    def wake_at(self, now: Instant) -> Instant | None:
        return None

    def forget(self, order: Order) -> None:
        self.forgotten.append(order.token)
        self.states.pop(order.token, None)

    def end(
        self,
        token: str,
        state: AttemptState,
        now: Instant,
        outputs: dict[str, Path] | None = None,
        cpu_seconds: float = 0.0,
    ) -> None:
        """Somebody outside decides that it ends."""
        self.states[token] = Observation(
            state,
            exit_code=0 if state is AttemptState.SUCCEEDED else 1,
            cause="exit-code" if state is AttemptState.FAILED else None,
            started_at=self.states[token].started_at,
            ended_at=now,
            cpu_seconds=cpu_seconds,
            outputs=outputs or {},
        )


class FakeServer:
    """The server's side of the protocol in memory, and a transport to it. Safe for the loop's threads."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.gen = 0
        self.values: dict[str, str] = {}  # of secrets
        self.orders: dict[str, tuple[int, Order]] = {}
        self.stops: dict[str, tuple[int, Stop]] = {}
        self.reports: list[Report] = []
        self.last: dict[str, AttemptReport] = {}
        self.closed: set[str] = set()
        self.usage: dict[tuple[str, int], SignedUsage] = {}
        self.logs: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.silent_about: set[str] = set()  # blobs whose way here is broken
        self.pair = (0, 0)
        self.digest = ""
        self.down = False
        self.refusal: Refused | Unreachable | None = None
        self.asked: Sequence[Inquiry] = ()
        self.deaf = False  # its answers to reports are lost

    def want(self, *orders: Order, stops: Sequence[Stop] = ()) -> None:
        with self.changed:
            self.gen += 1
            for order in orders:
                self.orders[order.attempt] = (self.gen, order)
            for stop in stops:
                self.orders.pop(stop.attempt, None)
                self.stops[stop.attempt] = (self.gen, stop)
            self.changed.notify_all()

    def wait_for(self, what: object, timeout: float = 20.0) -> None:
        """`what` is called until it is true."""
        assert callable(what)
        with self.changed:
            assert self.changed.wait_for(what, timeout), "it did not happen in time"

    # Transport

    def report(self, report: Report) -> ReportAnswer:
        with self.changed:
            self._reachable()
            if (report.incarnation, report.seq) <= self.pair:
                raise Refused(409, "older than what is here")
            self.pair = (report.incarnation, report.seq)
            self.reports.append(report)
            if report.inventory is not None:
                self.digest = report.inventory_digest
            stored, closed = [], []
            for one in report.attempts:
                for signed in one.usage:
                    key = (one.attempt, signed.usage.n)
                    assert self.usage.setdefault(key, signed) == signed, "a record never changes"
                    stored.append(key)
                if one.attempt not in self.closed:
                    self.last[one.attempt] = one
                if one.state.final:
                    closed.append(one.attempt)
                    self.closed.add(one.attempt)
                    self.orders.pop(one.attempt, None)
                    self.stops.pop(one.attempt, None)
            self.changed.notify_all()
            if self.deaf:
                raise Unreachable("the answer was lost")
            return ReportAnswer(
                self.gen, closed, stored, self.digest, asked=self.asked, outside_taken=bool(report.outside)
            )

    def desired(self, incarnation: int, after: int, wait_s: float) -> Desired:
        with self.changed:
            self._reachable()
            if incarnation < self.pair[0]:
                raise Refused(409, "another agent is here")
            self.changed.wait_for(lambda: self.gen != after or self.down or self.refusal, wait_s)
            self._reachable()
            return Desired(
                self.gen,
                tuple(order for gen, order in self.orders.values() if gen > after),
                tuple(stop for gen, stop in self.stops.values() if gen > after),
            )

    def append_log(self, attempt: str, token: str, offset: int, data: bytes) -> int:
        with self.changed:
            self._reachable()
            held = self.logs.get(attempt, b"")
            if offset <= len(held) < offset + len(data):
                held = self.logs[attempt] = held[:offset] + data
            self.changed.notify_all()
            return len(held)

    def secrets(self, attempt: str, token: str) -> Mapping[str, str]:
        with self.changed:
            self._reachable()
            return self.values

    def put_blob(self, sha256: str, path: Path) -> None:
        with self.changed:
            self._reachable()
            self.blobs[sha256] = path.read_bytes()
            self.changed.notify_all()

    def fetch_blob(self, sha256: str) -> Iterator[bytes]:
        with self.changed:
            self._reachable()
            if sha256 in self.silent_about:
                raise Unreachable("the server does not answer")
            with suppress(KeyError):
                return iter([self.blobs[sha256]])
            raise Refused(404, f"there is no blob {sha256}")

    def _reachable(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.down:
            raise Unreachable("the server is down")
