"""The simulated centre is a centre: what can be simulated of the suite that every driver passes.

Its commands only take time, so scripts are translated; what they print is what the script would.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation
from baygrid.ports.messages import NodeReport, Order, PartitionReport, Stop
from baygrid.sim.driver import SimDriver
from baygrid.sim.faults import Failpoints, Faults
from baygrid.sim.machine import Command, Machine
from baygrid.sim.world import World
from tests.centres.behaviour import Behaviour
from tests.centres.site import NODES, PARTITION

LONG = 600_000
DEAF = "trap '' TERM; echo up; while :; do sleep 0.05; done"

SCRIPTS = {
    "echo done": (Command(20, 0), b""),
    "exit 3": (Command(20, 3), b""),
    "exit 5": (Command(20, 5), b""),
    "exit 6": (Command(20, 6), b""),
    "exit 9": (Command(20, 9), b""),
    "sleep 600": (Command(LONG, 0), b""),
    "echo 1": (Command(20, 0), b"1\n"),
    "echo ran": (Command(20, 0), b"ran\n"),
    "echo up; exec sleep 600": (Command(LONG, 0), b"up\n"),
    "echo ran; exec sleep 600": (Command(LONG, 0), b"ran\n"),
    DEAF: (Command(LONG, 0, deaf=True), b"up\n"),
}

# The rest of the suite is about what real commands do: setup, ranks, memory, files, environment.
SIMULATED = (
    "test_success",
    "test_an_exit_code_is_a_failure_and_is_kept",
    "test_the_time_limit_ends_it",
    "test_a_stop_before_the_start_means_that_it_never_starts",
    "test_a_stop_of_something_unheard_of_keeps_it_from_ever_starting",
    "test_a_stop_right_after_the_start_ends_either_way",
    "test_a_stop_while_running",
    "test_what_is_withdrawn_never_starts",
    "test_what_runs_is_not_withdrawn",
    "test_what_ignores_term_is_killed_after_the_grace",
    "test_a_stop_after_the_end_changes_nothing",
    "test_a_second_start_does_nothing",
    "test_a_second_start_after_a_restart_does_nothing",
    "test_a_restart_finds_what_runs_and_what_ended",
    "test_an_end_that_nobody_saw_is_found",
    "test_what_is_forgotten_is_absent",
)


class Translating:
    """`ports.centre.Centre`: hands the driver what it understands."""

    def __init__(self, machine: Machine, world: World, faults: Faults) -> None:
        self._machine = machine
        self._driver = SimDriver(machine, Failpoints(world, faults), faults)

    def capabilities(self) -> frozenset[str]:
        return self._driver.capabilities()

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self._driver.inventory()

    def prepare(self, order: Order, fetch: Fetch) -> None:
        self._driver.prepare(_translated(order), fetch)

    def start(self, order: Order, now: Instant) -> None:
        self._driver.start(_translated(order), now)

    def stop(self, stop: Stop, now: Instant) -> None:
        self._driver.stop(stop, now)

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        return self._driver.observe([_translated(order) for order in orders], now)

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        if not self._driver.read_log(order, 0, 1):
            return b""
        return SCRIPTS[order.run][1][offset : offset + limit]

    def wake_at(self, now: Instant) -> Instant | None:
        return self._driver.wake_at(now)

    def forget(self, order: Order) -> None:
        self._driver.forget(_translated(order))


def _translated(order: Order) -> Order:
    return replace(order, run=SCRIPTS[order.run][0].text)


class SimSite:
    managed = True

    def __init__(self) -> None:
        self._world = World(1)
        nodes = tuple(NodeReport(name, 8, 8192, {"H100": 8}) for name in NODES)
        self._machine = Machine(self._world, "centre", "HK", PARTITION, nodes)
        self.restart()

    def now(self) -> Instant:
        return self._machine.clock()

    def wait(self) -> None:
        assert self._world.now < World(1).now + 2 * LONG, "nothing happens any more"
        self._world.run(self._world.now + 50)

    def restart(self) -> None:
        self.centre = Translating(self._machine, self._world, Faults())


class TestSimulated:
    clock_ms = Behaviour.clock_ms

    @pytest.fixture
    def site(self):
        return SimSite()


for _name in SIMULATED:
    setattr(TestSimulated, _name, getattr(Behaviour, _name))
