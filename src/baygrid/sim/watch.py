"""Looks at the store after every step that committed something, and at all of it at the end."""

from __future__ import annotations

from collections.abc import Sequence

from baygrid.ports.basics import Instant, ObjectStore
from baygrid.ports.messages import Order
from baygrid.ports.store import Store
from baygrid.sim import checker, final
from baygrid.sim.agent import SimAgent
from baygrid.sim.machine import Machine
from baygrid.sim.people import Told
from baygrid.sim.snapshot import Books, Snapshot
from baygrid.sim.states import States
from baygrid.sim.workload import MAX_PENDING
from baygrid.sim.world import BEGIN, Violation, World


class Watch:
    """Raises Violation. `dirty`: something may have been committed since it last looked; `news_at`: when
    something last was."""

    def __init__(self, world: World, store: Store) -> None:
        self.dirty = True
        self.news_at: Instant = BEGIN
        self.snapshot = Snapshot()
        self.machines: Sequence[Machine] = ()
        self._world = world
        self._store = store
        self._states = States()
        self._free: checker.Amounts = {}
        self._pending: dict[str, int] = {}

    def follow(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        managed = [machine for machine in machines if not machine.own_queue]
        self._free = checker.capacity({machine.name: machine.nodes for machine in managed})
        self._pending = {machine.name: MAX_PENDING for machine in machines if machine.own_queue}
        for machine in machines:
            machine.began = self._began

    def _began(self, machine: Machine, order: Order) -> None:
        checker.check_begun(self.snapshot, machine, order)

    def look(self) -> None:
        if not self.dirty:
            return
        self.dirty = False
        if not self.snapshot.renew(self._store):
            return
        self.news_at = self._world.now
        for event in self.snapshot.news:
            self._world.log.add(f"{self._world.now - BEGIN} event {event}\n")
        self._states.take(self.snapshot.news)
        self._check_leader()
        self._check()

    def _check_leader(self) -> None:
        """Whoever placed a job was still the leader in that very commit."""
        placed = [event for event in self.snapshot.news if event.kind == "job-placed"]
        if placed:
            term, _, _ = self._store.read(lambda tx: tx.leadership.current())
            if placed[-1].term != term:
                detail = f"term {placed[-1].term} places in term {term}"
                raise Violation("terms", detail, placed[-1].job or "")

    def _check(self) -> None:
        self._states.check(self.snapshot)
        checker.check_money(self.snapshot)
        checker.check_attempts(self.snapshot)
        checker.check_turns(self.snapshot)
        checker.check_room(self.snapshot, self._free)
        checker.check_pending(self.snapshot, self._pending)
        checker.check_running(self.snapshot, self.machines)

    def resting(self, agents: Sequence[SimAgent]) -> bool:
        try:
            final.check_rest(self.snapshot, agents)
        except Violation:
            return False
        return True

    def finish(self, agents: Sequence[SimAgent], told: Told, objects: ObjectStore) -> None:
        """Everything, from rows that are read anew."""
        snapshot = self.snapshot
        snapshot.renew_all(self._store)
        self._check()
        histories = {token: h for machine in self.machines for token, h in machine.histories.items()}
        for machine in self.machines:
            for token in machine.strangers & set(machine.histories):
                machine.histories[token].stranger = True
        final.check_rest(snapshot, agents)
        final.check_truth(snapshot, histories)
        final.check_told(snapshot, told)
        books = Books.read(self._store, sorted(snapshot.attempts))
        final.check_usage(snapshot, books, histories)
        final.check_books(snapshot, books)
        final.check_checkpoints(snapshot)
        final.check_bytes(snapshot, self._store, objects, histories)
