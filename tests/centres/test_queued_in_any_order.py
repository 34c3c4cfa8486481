"""Any order of starts, stops, restarts and faults of the engine: every command runs at most once, every
attempt comes to its one true end, and nothing is left behind."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from baygrid.centres.engine import Stand
from baygrid.centres.folder.files import key_of
from baygrid.centres.queued.attempt import name_of
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import Observation
from baygrid.ports.messages import Order
from tests.centres.fifo import Faulty
from tests.centres.site import order, start, stop_of
from tests.centres.test_queued import QueuedSite

FAULTS = [
    ("submit", "lost before"),
    ("submit", "lost after"),
    ("submit", "part"),
    ("look", "lost"),
    ("list", "twice"),
    ("account", "lost"),
    ("signal", "lost before"),
    ("signal", "lost after"),
]
KINDS = {
    "quick": "exit 0",
    "failing": "exit 3",
    "long": "exec sleep 600",
    "stubborn": "trap '' TERM; sleep 600",
}
LONGEST_S = 20
TICKS = st.integers(0, 12)


class Region(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        """Two jobs hold the nodes, so that others wait at the engine until one is stopped."""
        self.folder = Path(tempfile.mkdtemp(prefix="queued-"))
        self.site = QueuedSite(self.folder / "root", Faulty())
        self.jobs: dict[str, tuple[str, Order]] = {}
        self.stopped: set[str] = set()
        self.ends: dict[str, Observation] = {}
        for _ in range(2):
            self.start_one("long", whole=True, twice=False, ticks=1)
        while not all((self.folder / f"runs-{n}").exists() for n in range(2)):
            self.time_passes(1)

    @rule(kind=st.sampled_from(sorted(KINDS)), whole=st.booleans(), twice=st.booleans(), ticks=TICKS)
    def start_one(self, kind, whole, twice, ticks):
        """`twice`: the answer is lost and the task not seen, so that it is submitted again."""
        number = len(self.jobs)
        text = f"echo ran >>{self.folder}/runs-{number}; {KINDS[kind]}"
        one = order(text, number, cpus=8 if whole else 1, grace_s=1)
        self.jobs[one.token] = (kind, one)
        start(self.site, one)
        if twice:
            self.site.engine.faults.append(("submit", "lost after"))
            self.site.engine.hidden.add(_name(one.token))
        self.time_passes(ticks)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def start_it_again(self, data):
        _, one = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        start(self.site, one)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), ticks=TICKS)
    def stop_one(self, data, ticks):
        self._stop(data.draw(st.sampled_from(sorted(self.jobs))))
        self.time_passes(ticks)

    @rule(fault=st.sampled_from(FAULTS))
    def fault(self, fault):
        self.site.engine.faults.append(fault)

    @rule()
    def silence(self):
        self.site.engine.silent = not self.site.engine.silent

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), how=st.sampled_from(["hidden", "odd"]))
    def hide_or_show(self, data, how):
        names: set[str] = getattr(self.site.engine, how)
        names ^= {_name(data.draw(st.sampled_from(sorted(self.jobs))))}

    @rule(ticks=TICKS)
    def the_agent_restarts(self, ticks):
        self.site.restart()
        self.time_passes(ticks)

    @rule(ticks=TICKS)
    def time_passes(self, ticks):
        for _ in range(ticks):
            self._look()
            self.site.wait()

    def teardown(self):
        if not hasattr(self, "site"):
            return
        try:
            self._heal()
            self._until_all_ended()
            self._nothing_is_left()
        finally:
            self.site.close()
            shutil.rmtree(self.folder)

    def _look(self):
        seen = self.site.centre.observe([one for _, one in self.jobs.values()], self.site.now())
        for token, found in seen.items():
            if found.state.final:
                self._is_true(token, found)

    def _is_true(self, token: str, found: Observation):
        """Its end is what happened, and stays so."""
        kind, one = self.jobs[token]
        path = self.folder / f"runs-{one.attempt.removeprefix('att-')}"
        runs = len(path.read_text().splitlines()) if path.exists() else 0
        assert runs <= 1, "at most once"
        if found.state is AttemptState.SUCCEEDED:
            assert (kind, runs, found.exit_code) == ("quick", 1, 0)
        elif found.state is AttemptState.FAILED:
            assert (kind, runs, found.cause, found.exit_code) == ("failing", 1, "exit-code", 3)
        else:
            assert found.state is AttemptState.CANCELLED
            assert token in self.stopped
            assert runs == 0 or found.started_at is not None
        before = self.ends.setdefault(token, found)
        assert (before.state, before.exit_code) == (found.state, found.exit_code)

    def _stop(self, token: str):
        self.stopped.add(token)
        try:
            self.site.centre.stop(stop_of(self.jobs[token][1], grace_s=1), self.site.now())
        except OSError:  # the agent would try again
            self._look()

    def _heal(self):
        engine = self.site.engine
        engine.silent = False
        engine.faults.clear()
        engine.hidden.clear()
        engine.odd.clear()

    def _until_all_ended(self):
        end = time.monotonic() + LONGEST_S
        for token, (kind, _) in self.jobs.items():
            if kind in ("long", "stubborn"):
                self._stop(token)
        while len(self.ends) < len(self.jobs):
            open_ones = [self.jobs[token] for token in self.jobs if token not in self.ends]
            assert time.monotonic() < end, (open_ones, self.site.engine.held)
            self._look()
            self.site.wait()

    def _nothing_is_left(self):
        """At the engine, too: what was withdrawn, or was there twice, goes."""
        end = time.monotonic() + LONGEST_S
        while any(held.stand is not Stand.ENDED for held in self.site.engine.held):
            assert time.monotonic() < end, self.site.engine.held
            self._look()
            self.site.wait()


def _name(token: str) -> str:
    return name_of(key_of(token))


TestRegion = pytest.mark.slow(Region.TestCase)
TestRegion.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
