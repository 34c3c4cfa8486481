"""The agent's brain: at most one run, nothing said before it is durable, or forgotten before it is stored."""

from dataclasses import replace
from itertools import pairwise

import pytest

from baygrid.centres.agent import Agent
from baygrid.centres.commanding import MAX_START_TRIES
from baygrid.ports.messages import Desired, DriverReport
from tests.centres.fakes import FakeKey
from tests.centres.site import order, sha256, stop_of
from tests.centres.world import CANCELLED, FAILED, HOUR, RUNNING, SUCCEEDED, UNKNOWN, World


@pytest.fixture
def world():
    return World()


def test_a_job_from_order_to_forgotten(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    assert world.state(one) is RUNNING
    world.centre.logs[one.token] = b"hello\n"
    world.centre.end(one.token, SUCCEEDED, world.time, cpu_seconds=2.5)
    world.step(3)
    report = world.server.last[one.attempt]
    assert (report.state, report.exit_code) == (SUCCEEDED, 0)
    assert [(s.usage.n, s.usage.cpu_seconds) for s in report.usage] == [(0, 2.5)]
    assert (report.usage[0].usage.start, report.usage[0].usage.end) == (report.started_at, report.ended_at)
    assert world.server.logs[one.attempt] == b"hello\n"
    assert world.centre.forgotten == [one.token]
    assert not world.agent.attempts


def test_an_answer_is_durable_before_anything_of_it_starts_and_costs_one_sync(world):
    orders = [order(number=n) for n in range(50)]
    world.server.want(*orders)
    before = world.journal.syncs
    world.take()
    assert world.journal.syncs == before + 1
    assert not world.centre.started
    assert world.agent.gen == 1
    world.agent.tick(world.time)
    assert world.journal.syncs == before + 1
    assert len(world.centre.started) == 50


def test_a_tick_starts_a_bounded_number_and_asks_to_come_back(world):
    world.server.want(*(order(number=n) for n in range(150)))
    world.take()
    assert world.agent.tick(world.time) == world.time
    assert len(world.centre.started) == 64
    world.step(2)
    assert len(world.centre.started) == 150


def test_ends_are_durable_before_they_are_reported_and_cost_one_sync(world):
    orders = [order(number=n) for n in range(20)]
    world.server.want(*orders)
    world.take()
    world.step()
    for one in orders:
        world.centre.end(one.token, FAILED, world.time)
    before = world.journal.syncs
    world.agent.tick(world.time)
    assert world.journal.syncs == before + 1
    world.restart()
    world.centre.states.clear()  # whatever the centre says now, the journal has it
    world.step(2)
    assert {world.state(one) for one in orders} == {FAILED}
    assert len(world.server.usage) == 20


def test_the_incarnation_grows_and_is_durable(world):
    first = world.agent.incarnation
    world.time -= 500_000  # the clock was set back
    world.restart()
    assert world.agent.incarnation == first + 1
    world.time += 900_000
    world.restart()
    assert world.agent.incarnation == world.time


def test_an_order_that_had_begun_elsewhere_is_not_started(world):
    one = order(state=RUNNING)
    world.server.want(one)
    world.take()
    world.step(3)
    assert not world.centre.started
    assert (world.state(one), world.server.last[one.attempt].raw) == (UNKNOWN, "not known here")


def test_an_order_that_had_begun_is_followed_when_the_centre_knows_it(world):
    one = order(state=RUNNING)
    world.centre.start(one, world.time)
    world.server.want(one)
    world.take()
    world.step()
    assert world.state(one) is RUNNING
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.step(2)
    assert world.state(one) is SUCCEEDED
    assert world.centre.started[one.token] == 1


def test_an_unknown_attempt_ends_with_a_stop(world):
    one = order(state=RUNNING)
    world.server.want(one)
    world.take()
    world.step()
    world.server.want(stops=[stop_of(one)])
    world.take()
    world.step(4)
    assert world.state(one) is CANCELLED
    assert not world.agent.attempts


def test_a_stop_for_the_unheard_of_forbids_a_later_order(world):
    one = order()
    world.agent.take(Desired(5, (), (stop_of(one),)), world.time)
    world.agent.take(Desired(4, (one,), ()), world.time)  # older, and later
    world.step(3)
    assert world.state(one) is CANCELLED
    world.agent.take(Desired(4, (one,), ()), world.time)
    world.step(3)
    world.restart()
    world.agent.take(Desired(4, (one,), ()), world.time)
    world.step(3)
    assert not world.centre.started
    assert world.state(one) is CANCELLED


def test_a_stop_with_another_token_is_not_for_us(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.agent.take(Desired(9, (), (replace(stop_of(one), token="guessed"),)), world.time)
    world.step()
    assert not world.centre.stops


def test_an_attempt_that_an_answer_does_not_mention_is_left_running(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.agent.take(Desired(0, (), ()), world.time)  # an empty database
    world.step(3)
    assert not world.centre.stops
    assert world.agent.gen == 0
    assert world.state(one) is RUNNING


def test_what_was_closed_is_not_run_again_by_a_restored_server(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.step(4)
    assert not world.agent.attempts
    for restart in (False, True):
        if restart:
            world.restart()
            world.step(4)
        world.agent.take(Desired(1, (one,), ()), world.time)
        sent = len(world.server.reports)
        world.step(2)
        said = [a for report in world.server.reports[sent:] for a in report.attempts]
        assert [(a.state, a.raw) for a in said][:1] == [(UNKNOWN, "closed here before")]
        assert not world.agent.attempts
    assert world.centre.started == {one.token: 1}


def test_a_restart_of_the_machine_before_the_start_was_seen_is_an_interruption(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.centre.states.clear()  # the claim was lost with the power
    world.epoch = "boot-2"
    world.restart()
    world.step(2)
    assert world.centre.started == {one.token: 1}
    assert (world.state(one), world.server.last[one.attempt].cause) == (FAILED, "interrupted")


def test_a_restart_of_the_agent_alone_starts_what_was_not_started(world):
    one = order()
    world.server.want(one)
    world.take()
    world.restart()
    world.step(3)  # what is not an end waits a moment for company before it is told
    assert world.centre.started == {one.token: 1}
    assert world.state(one) is RUNNING


def test_what_still_waits_for_its_bytes_survives_a_restart_of_the_machine(world):
    world.server.blobs[sha256(b"tar")] = b"tar"
    one = order(workdir=sha256(b"tar"))
    world.server.want(one)
    world.take()
    world.epoch = "boot-2"
    world.restart()
    world.step(3)
    assert world.centre.started == {one.token: 1}


def test_long_runs_are_recorded_hour_by_hour_without_gap_or_overlap(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    begun = world.centre.states[one.token].started_at
    for hours in (1, 1, 5):  # the last five while the agent was not there
        if hours == 5:
            world.restart()
        world.time += hours * HOUR
        seen = world.centre.states[one.token]
        world.centre.states[one.token] = replace(seen, cpu_seconds=seen.cpu_seconds + 10.0 * hours)
        world.step()
    world.centre.end(one.token, SUCCEEDED, world.time, cpu_seconds=75.5)
    ended = world.time
    world.step(2)
    records = [world.server.usage[key].usage for key in sorted(world.server.usage)]
    assert [record.n for record in records] == list(range(8))
    assert records[0].start == begun
    assert records[-1].end == ended
    assert all(a.end == b.start for a, b in pairwise(records))
    assert [record.end - record.start for record in records[:7]] == [HOUR] * 7
    assert sum(record.cpu_seconds for record in records) == 75.5


def test_nothing_is_recorded_while_nobody_knows_whether_it_runs(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    seen = world.centre.states[one.token]
    world.centre.states[one.token] = replace(seen, state=UNKNOWN, raw="NODE_FAIL?")
    world.step(3, ms=2 * HOUR)
    assert not world.server.usage
    assert (world.state(one), world.server.last[one.attempt].raw) == (UNKNOWN, "NODE_FAIL?")
    world.centre.end(one.token, FAILED, seen.started_at + HOUR // 2)
    world.step(3)
    assert [s.usage.end - s.usage.start for s in world.server.usage.values()] == [HOUR // 2]


def test_a_centre_that_cannot_be_asked_changes_nothing(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.centre.broken = "the scheduler does not answer"
    world.step(3)
    assert world.state(one) is RUNNING
    assert world.agent.trouble
    world.centre.broken = None
    world.step()
    assert not world.agent.trouble


def test_what_vanished_from_the_centre_is_unknown_and_never_completed(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    del world.centre.states[one.token]
    world.step(2)
    assert world.state(one) is UNKNOWN
    world.step(3)
    assert world.centre.started == {one.token: 1}


def test_what_cannot_be_started_is_tried_again_and_then_refused(world):
    one = order()
    world.server.want(one)
    world.take()
    world.centre.broken = "no more processes"
    for _ in range(MAX_START_TRIES - 1):
        world.agent.tick(world.time)
        world.time += 120_000
    assert not world.agent.attempts[one.attempt].refused
    world.agent.tick(world.time)
    world.centre.broken = None
    world.step(3)
    report = world.server.last[one.attempt]
    assert (report.state, report.cause, report.detail) == (FAILED, "refused", "no more processes")
    assert not world.centre.started


def test_reports_carry_changes_and_once_a_minute_everything(world):
    orders = [order(number=n) for n in range(5)]
    world.server.want(*orders)
    world.take()
    world.step(2)
    sent = len(world.server.reports)
    world.step(10, ms=1_100)
    assert 1 <= len(world.server.reports) - sent <= 2, "a heartbeat"
    assert all(not report.attempts for report in world.server.reports[sent:])
    assert all(report.inventory is None for report in world.server.reports[sent:])
    world.step(60, ms=1_100)
    assert any(len(report.attempts) == 5 for report in world.server.reports[sent:])


def test_a_lost_answer_loses_nothing(world):
    one = order()
    world.server.want(one)
    world.take()
    world.agent.tick(world.time)
    world.server.report(world.agent.report(world.time))  # arrives; its answer does not
    world.agent.unanswered()
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.agent.tick(world.time)
    world.agent.log_chunks(world.time)  # the end is told when the log is there
    world.server.report(world.agent.report(world.time))
    world.agent.unanswered()
    assert world.state(one) is SUCCEEDED
    world.step(3)
    assert world.centre.forgotten == [one.token]
    assert len(world.server.usage) == 1


def test_a_changed_inventory_is_sent(world):
    world.step()
    assert world.server.reports[-1].inventory is not None
    world.centre.parts = ()
    world.time += 100_000
    world.step()
    assert world.server.reports[-1].inventory == ()


def test_what_the_driver_can_do_is_sent_with_the_inventory(world):
    world.step()
    assert world.server.reports[-1].driver is None, "an agent that was told no driver says nothing of it"
    world.agent = Agent("hq", world.centre, world.journal, FakeKey(), world.time, driver="ray", version="2.9")
    world.step(4, ms=11_000)
    assert DriverReport("ray", "2.9", ()) in [report.driver for report in world.server.reports]
    assert world.server.reports[-1].driver is None, "the server knows it by now"
    world.centre.able = frozenset({"image", "gang"})
    world.time += 100_000
    world.step()
    assert world.server.reports[-1].driver == DriverReport("ray", "2.9", ("gang", "image"))


def test_a_server_that_holds_another_inventory_is_sent_all(world):
    world.step(2)
    world.server.digest = "another"
    world.step(3, ms=11_000)
    assert world.server.digest != "another"


def test_the_journal_is_compacted_and_says_the_same(world):
    for n in range(30):
        one = order(number=n)
        world.server.want(one)
        world.take()
        world.step()
        if n % 3:
            world.centre.end(one.token, SUCCEEDED, world.time)
            world.step(3)
    length = len(world.journal.read())
    world.restart()
    assert len(world.journal.read()) < length
    world.step(3)
    assert set(world.agent.attempts) == {f"att-{n}" for n in range(0, 30, 3)}
    world.step(2)
    assert sorted(world.centre.started.values()) == [1] * 30


def test_null_bytes_do_not_poison_a_report(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    seen = world.centre.states[one.token]
    world.centre.states[one.token] = replace(seen, state=FAILED, detail="a\0b\udc80" * 5_000)
    world.step(2)
    detail = world.server.last[one.attempt].detail
    assert "\0" not in detail
    assert len(detail) <= 2_000
