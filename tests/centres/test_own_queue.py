"""The agent's brain at a centre with a queue of its own: the nodes that it chose, and what is asked
back from it."""

from dataclasses import replace

import pytest

from baygrid.ports.messages import WITHDRAWN
from tests.centres.site import order, stop_of
from tests.centres.world import CANCELLED, HOUR, RUNNING, SUCCEEDED, WAITING, World


@pytest.fixture
def world():
    made = World()
    made.centre.queues = True
    return made


def test_the_nodes_that_the_centre_chose_are_told_and_all_are_metered(world):
    one = order(nodes=(), count=2)
    world.server.want(one)
    world.take()
    world.step()
    assert (world.state(one), world.server.last[one.attempt].nodes) == (WAITING, ())
    world.centre.begin(one.token, world.time, ("n1", "n2"))
    world.step(2)
    assert world.server.last[one.attempt].nodes == ("n1", "n2")
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.step(2)
    (signed,) = world.server.last[one.attempt].usage
    assert signed.usage.nodes == 2


def asked_back(world, number=1):
    """An attempt that waits in the centre's own queue, and the word that it shall not."""
    one = order(number=number)
    world.server.want(one)
    world.take()
    world.step()
    assert world.state(one) is WAITING
    world.server.want(stops=[replace(stop_of(one), reason=WITHDRAWN)])
    world.take()
    return one


def test_what_waits_is_withdrawn_and_can_never_begin(world):
    one = asked_back(world)
    world.agent.tick(world.time)
    world.centre.begin(one.token, world.time)
    world.step(2)
    assert (world.state(one), world.server.last[one.attempt].started_at) == (CANCELLED, None)
    assert world.centre.started == {}


@pytest.mark.parametrize("restart", [False, True])
def test_what_began_before_it_was_withdrawn_goes_on(world, restart):
    one = asked_back(world)
    world.centre.begin(one.token, world.time)
    if restart:
        world.restart()
    world.step(2)
    assert world.state(one) is RUNNING
    world.take()  # the same word again, late
    world.step(2)
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.step(2)
    assert world.state(one) is SUCCEEDED
    assert world.centre.started == {one.token: 1}


@pytest.mark.parametrize("begins", [False, True])
def test_what_was_to_be_withdrawn_may_still_be_stopped_for_good(world, begins):
    one = asked_back(world)
    if begins:
        world.centre.begin(one.token, world.time)
        world.step(2)
    world.server.want(stops=[stop_of(one)])
    world.take()
    world.step(3)
    assert world.state(one) is CANCELLED
    assert (world.server.last[one.attempt].started_at is not None) == begins


def test_when_the_centre_expects_to_start_it_is_told_and_small_shifts_wait(world):
    one = order()
    world.server.want(one)
    world.take()
    world.step(2)

    def told() -> tuple[int, int | None]:
        world.step(3)
        return len(world.server.reports), world.server.last[one.attempt].expected_at

    def expects(at: int | None) -> None:
        world.centre.states[one.token] = replace(world.centre.states[one.token], expected_at=at)

    sent = told()[0]
    expects(2 * HOUR)
    assert told() == (sent + 1, 2 * HOUR)
    expects(2 * HOUR + 30_000)
    assert told() == (sent + 1, 2 * HOUR)
    expects(3 * HOUR)
    assert told() == (sent + 2, 3 * HOUR)
    world.centre.begin(one.token, world.time)
    assert told()[1] is None
