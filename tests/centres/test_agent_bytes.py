"""What the agent fetches and stores: the inputs of attempts, their outputs, their logs."""

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import Refused
from tests.centres.site import order, sha256, stop_of
from tests.centres.world import CANCELLED, FAILED, HOUR, STAGING, SUCCEEDED, World


@pytest.fixture
def world():
    return World()


def test_staging_waits_for_the_server_and_then_goes_on(world):
    one = order(workdir=sha256(b"tar"))
    world.server.blobs[sha256(b"tar")] = b"tar"
    world.server.want(one)
    world.take()
    world.server.down = True
    world.step(2)
    assert not world.centre.started
    world.server.down = False
    world.step()
    assert world.state(one) is STAGING
    world.step(10)
    assert world.centre.started == {one.token: 1}


@pytest.mark.parametrize("restarts", [False, True])
def test_what_came_over_the_link_is_in_the_first_usage_record(world, restarts):
    """Once, though the second blob had to be asked for again; not what the job goes on from."""
    tar, data, last = b"the workdir", b"some data", b"a checkpoint"
    digests = [sha256(blob) for blob in (tar, data, last)]
    known = order(workdir=digests[0], inputs={"data": digests[1]}, restore=digests[2], counts_egress=True)
    old = order(number=2, workdir=digests[0])
    world.server.blobs |= dict(zip(digests, (tar, data, last), strict=True))
    world.server.silent_about = {digests[1]}
    world.server.want(known, old)
    world.take()
    world.step(2)
    world.server.silent_about = set()
    world.step(10)
    assert set(world.centre.started) == {known.token, old.token}
    if restarts:
        world.restart()
    world.time += 3 * HOUR
    world.step(3)
    records = {key: one.usage.egress_bytes for key, one in world.server.usage.items()}
    assert records[known.attempt, 0] == len(tar + data)
    assert records[known.attempt, 1] == records[old.attempt, 0] == 0


def test_bytes_that_are_refused_fail_the_staging(world):
    one = order(workdir=sha256(b"nowhere"))
    world.server.want(one)
    world.take()
    world.step(3)
    assert (world.state(one), world.server.last[one.attempt].cause) == (FAILED, "staging-failed")
    assert not world.centre.started
    assert not world.server.usage


def test_a_stop_while_bytes_are_fetched_means_that_it_never_starts(world):
    one = order(workdir=sha256(b"tar"))
    world.server.want(one)
    world.take()
    world.agent.tick(world.time)
    assert world.agent.staging_due(world.time) == [one]
    assert world.agent.staging_due(world.time) == [], "it is handed out once"
    world.server.want(stops=[stop_of(one)])
    world.take()
    world.agent.tick(world.time)
    assert not world.centre.stops, "its files are still being written"
    world.agent.staged(one.attempt, world.time)
    world.step(3)
    assert not world.centre.started
    assert world.state(one) is CANCELLED


def test_outputs_are_published_before_success_is_told(world, tmp_path):
    labels = tmp_path / "outputs" / "labels"
    labels.mkdir(parents=True)
    (labels / "x").write_text("1")
    one = order(outputs=("labels",))
    world.server.want(one)
    world.take()
    world.step()
    world.centre.end(one.token, SUCCEEDED, world.time, outputs={"labels": labels})
    world.server.down = True
    world.step(2)
    world.server.down = False
    world.step()
    assert world.state(one) is AttemptState.PUBLISHING
    world.restart()
    world.step(5)
    report = world.server.last[one.attempt]
    assert report.state is SUCCEEDED
    assert set(report.outputs) == {"labels"}
    assert report.outputs["labels"] in world.server.blobs
    assert list(world.server.usage) == [(one.attempt, 0)]


def test_outputs_that_are_refused_fail_the_attempt(world, tmp_path):
    one = order(outputs=("labels",))
    world.server.want(one)
    world.take()
    world.step()
    world.centre.end(one.token, SUCCEEDED, world.time, outputs={"labels": tmp_path / "gone"})
    world.step(3)
    report = world.server.last[one.attempt]
    assert (report.state, report.cause, report.outputs) == (FAILED, "publishing-failed", {})
    assert len(world.server.usage) == 1, "what ran is charged"


def test_a_log_is_whole_after_lost_pieces_and_a_restart(world):
    one = order()
    log = b"".join(b"%d\n" % n for n in range(100_000))
    world.server.want(one)
    world.take()
    world.step()
    world.centre.logs[one.token] = log[:400_000]
    world.step()
    chunks = world.agent.log_chunks(world.time + 1_000)
    assert chunks  # taken and lost
    world.restart()
    world.centre.logs[one.token] = log
    world.step()
    world.centre.end(one.token, SUCCEEDED, world.time)
    world.step(12)
    assert world.server.logs[one.attempt] == log
    assert world.centre.forgotten == [one.token]


def test_a_log_that_the_server_refuses_does_not_hold_up_the_end(world, monkeypatch):
    one = order()
    world.server.want(one)
    world.take()
    world.step()
    world.centre.logs[one.token] = b"x" * 1000
    world.centre.end(one.token, SUCCEEDED, world.time)

    def refuse(*_):
        raise Refused(404, "there is no such attempt")

    monkeypatch.setattr(world.server, "append_log", refuse)
    world.step(4)
    assert world.centre.forgotten == [one.token]
