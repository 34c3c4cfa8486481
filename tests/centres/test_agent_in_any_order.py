"""The agent's brain while messages are lost, repeated, late and out of order, and it crashes anywhere."""

import copy
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from baygrid.centres.reports import FULL_EVERY_MS
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import WITHDRAWN, Desired, ReportAnswer, Unreachable
from tests.centres.site import order, sha256, stop_of
from tests.centres.world import CANCELLED, FAILED, HOUR, RUNNING, SUCCEEDED, UNKNOWN, WAITING, World


@settings(max_examples=60, stateful_step_count=40)
class AnyOrder(RuleBasedStateMachine):
    """Messages lost, repeated, late and out of order; crashes anywhere; a command still runs at most once."""

    @initialize(queues=st.booleans())
    def begin(self, queues):
        self.world = World()
        self.world.centre.queues = queues
        self.answers: list[Desired] = []
        self.replies: list[ReportAnswer] = []
        self.made = 0
        self.stopped: set[str] = set()

    @rule(staged=st.booleans(), begun=st.sampled_from([AttemptState.PLACED] * 4 + [RUNNING]))
    def want_one(self, staged, begun):
        self.made += 1
        self.world.server.blobs[sha256(b"tar")] = b"tar"
        workdir = sha256(b"tar") if staged else None
        self.world.server.want(order(number=self.made, workdir=workdir, state=begun))

    @precondition(lambda self: self.made)
    @rule(data=st.data(), withdrawn=st.booleans())
    def want_a_stop(self, data, withdrawn):
        one = order(number=data.draw(st.integers(1, self.made)))
        stop = replace(stop_of(one), reason=WITHDRAWN) if withdrawn else stop_of(one)
        server = self.world.server
        known = server.stops.get(one.attempt)
        if one.attempt in server.orders or (known is not None and known[1].reason == WITHDRAWN):
            server.want(stops=[stop])

    @precondition(lambda self: self.world.centre.queues)
    @rule(data=st.data())
    def one_begins(self, data):
        waiting = [token for token, seen in self.world.centre.states.items() if seen.state is WAITING]
        if waiting:
            self.world.centre.begin(data.draw(st.sampled_from(sorted(waiting))), self.world.time)

    @rule()
    def ask(self):
        server, agent = self.world.server, self.world.agent
        self.answers.append(server.desired(agent.incarnation, agent.gen, 0))

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), keep=st.booleans())
    def an_answer_arrives(self, data, keep):
        answer = data.draw(st.sampled_from(self.answers))
        if not keep:
            self.answers.remove(answer)
        self.world.agent.take(answer, self.world.time)

    @rule(ms=st.sampled_from([0, 100, 5_000, HOUR]))
    def tick(self, ms):
        self.world.time += ms
        self.world.agent.tick(self.world.time)

    @rule(arrives=st.booleans())
    def report(self, arrives):
        report = self.world.agent.report(self.world.time)
        if arrives:
            self.replies.append(self.world.server.report(report))

    @precondition(lambda self: self.replies)
    @rule(data=st.data(), keep=st.booleans())
    def a_reply_arrives(self, data, keep):
        reply = data.draw(st.sampled_from(self.replies))
        if not keep:
            self.replies.remove(reply)
        self.world.agent.answered(copy.deepcopy(reply), self.world.time)

    @rule()
    def bytes_move(self):
        world = self.world
        for one in world.agent.staging_due(world.time):
            world.centre.prepare(one, world.server.fetch_blob)
            world.agent.staged(one.attempt, world.time)
        for attempt, token, offset, data in world.agent.log_chunks(world.time):
            world.agent.log_stored(attempt, world.server.append_log(attempt, token, offset, data), world.time)

    @precondition(lambda self: self.world.centre.states)
    @rule(data=st.data(), state=st.sampled_from([SUCCEEDED, FAILED]))
    def one_ends(self, data, state):
        running = [t for t, seen in self.world.centre.states.items() if not seen.state.final]
        if running:
            token = data.draw(st.sampled_from(sorted(running)))
            self.world.centre.logs[token] = b"some words\n"
            self.world.centre.end(token, state, self.world.time)

    @rule(reboot=st.booleans())
    def crash(self, reboot):
        if reboot:
            self.world.epoch += "+"
        self.world.restart()

    @invariant()
    def nothing_ran_twice(self):
        if hasattr(self, "world"):
            assert all(count == 1 for count in self.world.centre.started.values())
            told = self.world.server.last.values()
            never = {one.token for one in told if one.state is CANCELLED and one.started_at is None}
            assert never.isdisjoint(self.world.centre.started)

    def teardown(self):
        """Once everything arrives, everything ends and is forgotten, and what is told is what happened."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.time += FULL_EVERY_MS  # a reply that was taken for another one's is healed by then
        for _ in range(6):
            world.take()
            world.step(4, ms=2_000)
            for token, seen in list(world.centre.states.items()):
                if not seen.state.final:
                    world.centre.end(token, SUCCEEDED, world.time)
        lost = {a.attempt for a in world.server.last.values() if a.state is UNKNOWN}
        assert set(world.agent.attempts) <= lost
        assert set(world.server.last) >= {f"att-{n}" for n in range(1, self.made + 1)}
        assert all(a.state.final or a.attempt in lost for a in world.server.last.values())
        self.nothing_ran_twice()
        for attempt in world.server.last:
            mine = [s.usage for (a, _), s in sorted(world.server.usage.items()) if a == attempt]
            assert [usage.n for usage in mine] == list(range(len(mine)))
            assert all(a.end == b.start for a, b in pairwise(mine))


TestAnyOrder = AnyOrder.TestCase


@given(st.lists(st.sampled_from(["down", "up", "crash", "end", "take"]), max_size=30))
def test_an_unreliable_server_only_delays(events):
    world = World()
    one = order()
    world.server.want(one)
    for event in events:
        if event == "crash":
            world.restart()
        elif event == "end" and one.token in world.centre.states:
            world.centre.end(one.token, SUCCEEDED, world.time)
        elif event == "take":
            with suppress(Unreachable):
                world.take()
        else:
            world.server.down = event == "down"
        world.step(ms=3_000)
    world.server.down = False
    if one.attempt not in world.server.closed:
        world.take()
        world.step(3, ms=30_000)
        if one.token in world.centre.states:
            world.centre.end(one.token, SUCCEEDED, world.time)
        world.step(3, ms=30_000)
    assert world.state(one) is SUCCEEDED
    assert world.centre.started == {one.token: 1}
