"""A whole region for one seed: built, shaken, healed, brought to rest, and watched all the while."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from random import Random

from baygrid.app.catalogue import Catalogue
from baygrid.app.platform import Platform
from baygrid.sim.agent import SimAgent
from baygrid.sim.chaos import Chaos
from baygrid.sim.faults import Failpoints, Faults
from baygrid.sim.founding import DRIVERS, PARTITION, everybody, found
from baygrid.sim.machine import Machine
from baygrid.sim.network import Network
from baygrid.sim.operator import Operator
from baygrid.sim.people import People
from baygrid.sim.results import Failure, Outcome
from baygrid.sim.server import SimServer
from baygrid.sim.shared import MemoryObjects, MemoryUploads, SimIds
from baygrid.sim.watch import Watch
from baygrid.sim.workload import CHAOS_MS, CentrePlan, centres, funds, jobs
from baygrid.sim.world import BEGIN, Violation, World
from baygrid.store import open_store

SETTLE_MS = 600_000
LOOK_MS = 2_000
QUIET_MS = 120_000
MAX_CLEARINGS = 10
TOLD = 60
OWN_QUEUE = 0.3
"""How often a centre has a queue of its own. Drawn apart, so that all else of a seed is as it was."""


class Region:
    """`faults` None: drawn from the seed."""

    def __init__(self, seed: int, count: int, faults: Faults | None = None) -> None:
        self.seed = seed
        self.world = world = World(seed)
        self.faults = Faults.drawn(world.rng) if faults is None else faults
        self.failpoints = Failpoints(world, self.faults)
        self.store = open_store("sqlite://", failpoint=self._failpoint)
        self.watch = Watch(world, self.store)
        self.network = Network(world, self.faults)
        self.objects, self._uploads, self._ids = MemoryObjects(), MemoryUploads(), SimIds(seed)
        plans = centres(own_queue=Random(f"own queue {seed}").random() < OWN_QUEUE)
        self._actors = everybody(plans)
        platform = Platform(
            self.store, self.objects, self._uploads, lambda: world.now, self._ids, Catalogue(), DRIVERS
        )
        found(platform, self._actors["operator"], plans, funds(world.rng))
        self.servers = [self._server(n) for n in range(1, self.faults.servers + 1)]
        self.agents = [self._agent(plan) for plan in plans]
        self.network.hosts = list(self.servers)
        self.watch.follow([agent.machine for agent in self.agents])
        self.people = People(world, self.network)
        self.people.begin(jobs(world.rng, count))
        self.operator = Operator(world, self.people, self.store, self.watch.snapshot, plans)
        self.chaos = Chaos(world, self.faults, self.network, self.servers, self.agents)
        self.store.subscribe(self._hear)
        world.after_step = self.watch.look

    def _server(self, n: int) -> SimServer:
        return SimServer(
            self.world,
            self.failpoints,
            f"server{n}",
            self.world.between(-200, 200) if self.faults.skew_ms else 0,
            self._actors,
            self.store,
            self.objects,
            self._uploads,
            self._ids,
            alone=self.faults.servers == 1,
        )

    def _agent(self, plan: CentrePlan) -> SimAgent:
        skew = self.faults.skew_ms
        clock = self.world.between(-skew, skew) if skew else 0
        machine = Machine(self.world, plan.name, plan.jurisdiction, PARTITION, plan.nodes, skew=clock)
        machine.own_queue = plan.own_queue
        return SimAgent(self.world, self.network, self.failpoints, self.faults, machine, self.seed)

    def _failpoint(self, name: str) -> None:
        self.watch.dirty = True
        self.failpoints.server(name)

    def _hear(self, topics: frozenset[str]) -> None:
        for server in self.servers:
            server.hear(topics)

    def run(self) -> Outcome:
        """Never raises for what the region does: that is in the outcome."""
        failure = None
        try:
            self._live()
        except Violation as violation:
            failure = self._failure(violation)
        except Exception as error:  # noqa: BLE001 - whatever a step raises is what we are looking for
            self.world.note(f"raises {error!r}")
            story = "".join(traceback.format_exception(error))
            failure = self._failure(Violation("no surprises", story))
        finally:
            self.store.close()
        world = self.world
        jobs_made, lasted = len(self.watch.snapshot.jobs), world.now - BEGIN
        return Outcome(self.seed, world.log.sha256, jobs_made, world.steps, lasted, failure)

    def _live(self) -> None:
        world = self.world
        for server in self.servers:
            server.start()
        for agent in self.agents:
            agent.start()
        self.chaos.begin()
        self.operator.begin()
        world.run(BEGIN + CHAOS_MS)
        self.chaos.heal()
        self.operator.reopen()
        world.run(world.now + SETTLE_MS, self._at_rest())
        for _ in range(MAX_CLEARINGS):
            self.operator.clear_up()
            world.run(world.now + SETTLE_MS, self._at_rest())
            if self.watch.resting(self.agents):
                break  # else the next of an array has come into its place
        self.watch.finish(self.agents, self.people.told, self.objects)
        if self.people.told.open:
            raise Violation("answers", f"{self.people.told.open} errands have no answer")

    def _at_rest(self) -> Callable[[], bool]:
        """Looked at now and then: has all ended, or has nothing happened for longer than a job runs?"""
        began = looked = self.world.now

        def at_rest() -> bool:
            nonlocal looked
            now = self.world.now
            if now - looked < LOOK_MS:
                return False
            looked = now
            if now - max(began, self.watch.news_at) > QUIET_MS:
                return True
            return self.people.told.open == 0 and self.watch.resting(self.agents)

        return at_rest

    def _failure(self, violation: Violation) -> Failure:
        world = self.world
        world.note(f"violates {violation.invariant}")
        lines = world.log.about(violation.subject, TOLD) or world.log.about("", TOLD)
        events = tuple(line.rstrip("\n") for line in lines)
        return Failure(
            self.seed, violation.invariant, violation.detail, violation.subject, world.log.sha256, events
        )
