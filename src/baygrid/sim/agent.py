"""An agent of the region: the real brain in a simulated process beside its centre.

What the outermost loop does with threads and sockets, this does with messages: one report, one parked
question and one log append per attempt at a time; what was lost is said again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from baygrid.centres.agent import Agent
from baygrid.centres.keys import Key
from baygrid.centres.publishing import Publication
from baygrid.ports.basics import Instant
from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Desired, Order, Refused, ReportAnswer, Unreachable
from baygrid.ports.wire import decode, encode
from baygrid.sim.driver import SimDriver
from baygrid.sim.faults import Failpoints, Faults
from baygrid.sim.journal import Disk, SimJournal
from baygrid.sim.machine import Machine
from baygrid.sim.network import Network, Result
from baygrid.sim.world import Crash, Process, World

WAIT_MS = 20_000
ANSWER_MS = 10_000
RETRY_MS = (300, 2_000)
TURN_MS = 20


class SimAgent:
    """`name` is also its centre's."""

    def __init__(
        self,
        world: World,
        network: Network,
        failpoints: Failpoints,
        faults: Faults,
        machine: Machine,
        seed: int,
    ) -> None:
        self.name = machine.name
        self.machine = machine
        self.process: Process | None = None
        self.brain: Agent | None = None
        self._world = world
        self._network = network
        self._failpoints = failpoints
        self._faults = faults
        self._disk = Disk()
        self._key = Key(hashlib.sha256(f"{seed}:{machine.name}".encode()).digest())
        self._lives = 0

    # Its life

    def start(self) -> None:
        self._lives += 1
        self.process = Process(f"{self.name}.{self._lives}", self._died)
        self._reporting = self._polling = False
        self._quiet_until: Instant = 0
        self._busy: set[str] = set()
        self._turn_at: Instant | None = None
        self._world.enter(self.process, "starts", self._begin)

    def _begin(self) -> None:
        driver = SimDriver(self.machine, self._failpoints, self._faults)
        journal = SimJournal(self._world, self._failpoints, self._disk)
        self._driver = driver
        self.brain = Agent(
            self.name,
            driver,
            journal,
            self._key,
            self.machine.clock(),
            epoch=f"boot-{self.machine.boot}",
            usage_every=self._faults.usage_every,
        )
        self._schedule(0)

    def _died(self) -> None:
        self.process = None
        self.brain = None

    def lose_journal(self) -> None:
        if self.process is not None:
            self.process.die()
        self._disk.journal = b""
        self.machine.strangers |= self.machine.folders

    # Its loop

    def _schedule(self, delay: int) -> None:
        at = self._world.now + delay
        if self._turn_at is None or at < self._turn_at:
            self._turn_at = at
            self._world.after(delay, "", lambda: self._turn(at), self.process)

    def _turn(self, planned: Instant) -> None:
        brain = self.brain
        if brain is None or self._turn_at != planned:
            return
        self._turn_at = None
        now = self.machine.clock()
        brain.tick(now)
        for order in brain.staging_due(now):
            self._stage(order)
        for publication in brain.blobs_due(now):
            self._publish(publication)
        for attempt, token, offset, data in brain.log_chunks(now):
            self._append(attempt, token, offset, data)
        quiet = now < self._quiet_until
        if brain.wants_report(now) and not self._reporting and not quiet:
            self._reporting = True
            self._call("report", encode(brain.report(now)), ANSWER_MS, self._reported)
        if not self._polling and not quiet:
            self._polling = True
            self._ask("desired", WAIT_MS + ANSWER_MS, self._told, **self._question())
        wake = brain.wake_at(now, reporting=not self._reporting and not quiet)
        due = [at for at in (wake, self._quiet_until if quiet else None) if at is not None]
        if due:
            self._schedule(max(min(due) - now, TURN_MS))

    def _question(self) -> dict[str, Any]:
        assert self.brain is not None
        return {"incarnation": self.brain.incarnation, "after": self.brain.gen, "wait": WAIT_MS}

    def _call(self, kind: str, body: bytes, timeout: int, done: Callable[[Result], None]) -> None:
        assert self.process is not None
        self._failpoints.agent("send.before")
        self._network.call(self.process, self.name, kind, body, timeout, self._received(done))
        self._failpoints.agent("send.after")

    def _ask(self, kind: str, timeout: int, done: Callable[[Result], None], **data: Any) -> None:
        self._call(kind, orjson.dumps(data), timeout, done)

    def _received(self, done: Callable[[Result], None]) -> Callable[[Result], None]:
        def receive(result: Result) -> None:
            self._failpoints.agent("receive.after")
            done(result)
            self._schedule(TURN_MS)

        return receive

    def _pause(self) -> None:
        self._quiet_until = self.machine.clock() + self._world.between(*RETRY_MS)

    # Answers

    def _reported(self, result: Result) -> None:
        assert self.brain is not None
        self._reporting = False
        if isinstance(result, bytes):
            self.brain.answered(decode(ReportAnswer, result), self.machine.clock())
        else:
            self._refused(result)
            self.brain.unanswered()
            self._pause()

    def _told(self, result: Result) -> None:
        assert self.brain is not None
        self._polling = False
        if isinstance(result, bytes):
            self.brain.take(decode(Desired, result), self.machine.clock())
        else:
            self._refused(result)
            self._pause()

    def _refused(self, result: Refused | Unreachable) -> None:
        """409: another agent has taken over, as far as one can tell, so this one ends. Here it was a message
        of its own that came twice, and its supervisor starts it again."""
        if isinstance(result, Refused):
            if result.status != 409:
                raise AssertionError(f"the server refuses its own agent: {result}")
            raise Crash

    def _append(self, attempt: str, token: str, offset: int, data: bytes) -> None:
        if f"log:{attempt}" in self._busy:
            return
        self._busy.add(f"log:{attempt}")

        def done(result: Result) -> None:
            self._busy.discard(f"log:{attempt}")
            if self.brain is not None and isinstance(result, bytes):
                self.brain.log_stored(attempt, int(result), self.machine.clock())
            elif self.brain is not None and isinstance(result, Refused):
                self.brain.log_refused(attempt, self.machine.clock())

        body = {"attempt": attempt, "token": token, "offset": offset, "data": data.decode()}
        self._ask("log", ANSWER_MS, done, **body)

    # Bytes

    def _stage(self, order: Order) -> None:
        """Fetches what the order needs, one blob after the other, then unpacks it."""
        needed = (order.workdir, order.restore, *order.inputs.values())
        wanted = [sha256 for sha256 in needed if sha256 is not None]
        held: dict[str, bytes] = {}

        def fetch(sha256: str) -> Iterator[bytes]:
            yield held[sha256]

        def following() -> None:
            assert self.brain is not None
            missing = [sha256 for sha256 in wanted if sha256 not in held]
            if missing:
                self._ask("fetch", ANSWER_MS, lambda result: fetched(missing[0], result), sha256=missing[0])
                return
            failure = None
            try:
                self._driver.prepare(order, fetch)
            except StagingFailed as error:
                failure = str(error)
            came = {sha256: len(data) for sha256, data in held.items() if sha256 != order.restore}
            self.brain.staged(order.attempt, self.machine.clock(), failure, came=came)

        def fetched(sha256: str, result: Result) -> None:
            assert self.brain is not None
            if isinstance(result, bytes):
                held[sha256] = result
                following()
            else:
                again = isinstance(result, Unreachable)
                self.brain.staged(order.attempt, self.machine.clock(), str(result), again=again)

        following()

    def _publish(self, publication: Publication) -> None:
        text = output_of(publication.attempt, publication.name)
        sha256 = hashlib.sha256(text.encode()).hexdigest()

        def put(result: Result) -> None:
            assert self.brain is not None
            now = self.machine.clock()
            if isinstance(result, bytes):
                self.brain.published(publication.attempt, publication.name, sha256, now)
            else:
                again = isinstance(result, Unreachable)
                self.brain.publishing_failed(publication.attempt, str(result), now, again=again)

        self._ask("put", ANSWER_MS, put, sha256=sha256, data=text)


def output_of(attempt: str, name: str) -> str:
    """What an attempt writes to an output."""
    return f"{name} of {attempt}"
