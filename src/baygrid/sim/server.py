"""A server of the region: the real use cases and the real scheduler behind simulated requests.

It holds in memory what a real one does (scheduler, copy of the catalogue, parked requests) and loses it when
it dies. The store, the objects and the identifiers are shared and survive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from baygrid.app import arrays, blobs, centres, jobs, logs, offers, projects, submit, sync
from baygrid.app.access import Actor
from baygrid.app.allocations import Wanted
from baygrid.app.catalogue import Catalogue
from baygrid.app.changes import Changes
from baygrid.app.offers import Rates
from baygrid.app.once import Once
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.app.scheduler import Scheduler
from baygrid.core.units import Money
from baygrid.ports.basics import Ids, Instant, ObjectStore, Uploads
from baygrid.ports.messages import Desired, Refused, Report
from baygrid.ports.records import CentreState
from baygrid.ports.store import Store, Tx
from baygrid.ports.wire import decode, encode
from baygrid.sim.faults import Failpoints
from baygrid.sim.founding import DRIVERS
from baygrid.sim.network import Reply
from baygrid.sim.shared import OneServersStore
from baygrid.sim.workload import NOTICE_MS
from baygrid.sim.world import Process, World

Handler = Callable[[Actor, dict[str, Any]], bytes]


class SimServer:
    """`actors`: who calls, by name; the edge's authentication is not part of the simulation."""

    def __init__(
        self,
        world: World,
        failpoints: Failpoints,
        name: str,
        skew: int,
        actors: Mapping[str, Actor],
        store: Store,
        objects: ObjectStore,
        uploads: Uploads,
        ids: Ids,
        *,
        alone: bool,
    ) -> None:
        self.name = name
        self.process: Process | None = None
        self._world = world
        self._failpoints = failpoints
        self._skew = skew
        self._actors = actors
        self._store = store
        self._parts = (objects, uploads, ids)
        self._alone = alone
        self._lives = 0
        self._scheduler: Scheduler | None = None
        self._wake_at: Instant | None = None
        self._parked: dict[int, tuple[str, Callable[[], None]]] = {}
        self._tickets = 0

    def clock(self) -> Instant:
        return self._world.now + self._skew

    # Its life

    def start(self) -> None:
        self._lives += 1
        holder = self.name if self._alone else f"{self.name}-{self._lives}"
        self.process = Process(f"{self.name}.{self._lives}", self._died)
        objects, uploads, ids = self._parts
        store = OneServersStore(self._store, self._failpoints, lambda: self._stepping)
        self._platform = Platform(store, objects, uploads, self.clock, ids, Catalogue(), DRIVERS, NOTICE_MS)
        self._scheduler = Scheduler(self._platform, holder)
        self._parked = {}
        self._wake_at = None
        self._stepping = self._woken = False
        self._world.note(f"{self.process.name} starts")
        self._schedule(self._world.now)

    def _died(self) -> None:
        self.process = None
        self._scheduler = None

    def resign(self) -> None:
        """Stops in order. In a step of its own process."""
        process, scheduler = self.process, self._scheduler
        if process is not None and scheduler is not None:
            if not self._stepping:
                scheduler.resign()
            process.die()

    def hear(self, topics: frozenset[str]) -> None:
        """A commit, here or by the other server. Steps follow; none happens inside the commit."""
        if self.process is None:
            return
        for ticket, (topic, _) in list(self._parked.items()):
            if topic in topics:
                self._world.after(1, "", lambda ticket=ticket: self._unpark(ticket), self.process)  # type: ignore[misc]
        if "events" in topics:
            self._schedule(self._world.now + 1)

    # The scheduler's loop

    def _schedule(self, at: Instant) -> None:
        if self._wake_at is not None and self._wake_at <= at:
            return
        self._wake_at = at
        self._world.after(at - self._world.now, "", lambda: self._step(at), self.process)

    def _step(self, planned: Instant) -> None:
        """What comes while a step waits for the store wakes the next one."""
        if self._wake_at != planned or self._scheduler is None:
            return
        self._wake_at = None
        if self._stepping:
            self._woken = True
            return
        self._stepping, self._woken = True, False
        following = self._scheduler.step(self.clock())
        self._stepping = False
        self._schedule(self._world.now + (1 if self._woken else max(1, following - self.clock())))

    # Requests

    def receive(self, who: str, kind: str, body: bytes, reply: Reply) -> None:
        self._failpoints.server("receive.after")
        actor = self._actors[who]
        if kind == "desired":
            self._desired(actor, orjson.loads(body), reply)
        else:
            self._answer(lambda: self._handle(actor, kind, body), reply)

    def _answer(self, work: Callable[[], bytes], reply: Reply) -> None:
        try:
            answer: bytes | Refused = work()
        except Problem as problem:
            answer = Refused(problem.status, problem.detail)
        self._failpoints.server("send.before")
        reply(answer)
        self._failpoints.server("send.after")

    def _handle(self, actor: Actor, kind: str, body: bytes) -> bytes:
        if kind == "report":
            return encode(sync.take_report(self._platform, actor, decode(Report, body)))
        data = orjson.loads(body)
        handler: Handler = getattr(self, f"_on_{kind}")
        return handler(actor, data)

    def _desired(self, actor: Actor, data: dict[str, Any], reply: Reply) -> None:
        """Parked where nothing is newer, as the API does it: answered by the commit that changes something,
        at the latest after `wait` milliseconds."""
        incarnation, after = int(data["incarnation"]), int(data["after"])

        def ask(parking: bool) -> None:
            found: Desired | None = None
            try:
                found = sync.desired(self._platform, actor, incarnation, after)
            except Problem as problem:
                reply(Refused(problem.status, problem.detail))
                return
            if found is None and parking:
                self._park(f"centre:{actor.centre}", int(data["wait"]), lambda: ask(False))
                return
            self._failpoints.server("send.before")
            reply(encode(found or Desired(after, (), ())))

        ask(True)

    def _park(self, topic: str, wait: int, again: Callable[[], None]) -> None:
        self._tickets += 1
        ticket = self._tickets
        self._parked[ticket] = (topic, again)
        self._world.after(wait, "", lambda: self._unpark(ticket), self.process)

    def _unpark(self, ticket: int) -> None:
        parked = self._parked.pop(ticket, None)
        if parked is not None:
            parked[1]()

    # Use cases

    def _on_log(self, actor: Actor, data: dict[str, Any]) -> bytes:
        text = data["data"].encode()
        end = logs.append(self._platform, actor, data["attempt"], data["token"], data["offset"], text)
        return orjson.dumps(end)

    def _on_fetch(self, actor: Actor, data: dict[str, Any]) -> bytes:
        return b"".join(blobs.get(self._platform, actor, data["sha256"])[1])

    def _on_put(self, actor: Actor, data: dict[str, Any]) -> bytes:
        text = data["data"].encode()
        state = blobs.put(self._platform, actor, data["sha256"], 0, len(text), iter([text]))
        return orjson.dumps(state.whole)

    def _on_submit(self, actor: Actor, data: dict[str, Any]) -> bytes:
        submitted = submit.submit(
            self._platform,
            actor,
            data["jobs"],
            project=None,
            once=Once(data["key"], data["sha256"]),
            render=lambda records: orjson.dumps([record.id for record in records]).decode(),
        )
        return submitted.answer.body.encode()

    def _on_cancel(self, actor: Actor, data: dict[str, Any]) -> bytes:
        return jobs.cancel(self._platform, actor, data["job"]).job.state.value.encode()

    def _on_cancel_array(self, actor: Actor, data: dict[str, Any]) -> bytes:
        return arrays.cancel(self._platform, actor, data["job"]).state.value.encode()

    def _on_lose(self, actor: Actor, data: dict[str, Any]) -> bytes:
        return jobs.declare_lost(self._platform, actor, data["attempt"]).job.state.value.encode()

    def _on_preempt(self, actor: Actor, data: dict[str, Any]) -> bytes:
        """As the leader does it, but for no other job and whoever leads."""
        reason = {"code": "simulated", "text": "the simulation needs its place"}

        def apply(tx: Tx) -> None:
            changes = Changes()
            jobs.preempt(tx, changes, {data["attempt"]: reason}, self.clock(), 0)
            changes.apply(tx)

        self._platform.store.write(apply)
        return b"ok"

    def _on_tariff(self, actor: Actor, data: dict[str, Any]) -> bytes:
        rates = Rates(data["accelerator_hour"], data["cpu_hour"], data["gib_hour"])
        offers.add_tariff(self._platform, actor, data["offer"], data["begins"], rates)
        return b"ok"

    def _on_state(self, actor: Actor, data: dict[str, Any]) -> bytes:
        state = CentreState(data["state"])
        return centres.set_state(self._platform, actor, data["centre"], state).state.value.encode()

    def _on_grant(self, actor: Actor, data: dict[str, Any]) -> bytes:
        funds = Money(data["minor"], "CNY")
        project = projects.grant(self._platform, actor, data["project"], Wanted(funds, "more"))
        return str(project.granted).encode()
