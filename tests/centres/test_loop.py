"""The whole agent: brain, loop and threads, on the real local driver, with a server in memory."""

import os
import select
import threading
import time
from pathlib import Path

import pytest

from baygrid.centres.bringing import Stager
from baygrid.centres.folder.files import Files, key_of
from baygrid.centres.local import LocalCentre, processes
from baygrid.centres.loop import Locked, StateLock
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import Refused, Renewed
from tests.centres.fakes import FakeServer
from tests.centres.looping import clock, looping
from tests.centres.site import order, sha256, stop_of, tar_of
from tests.centres.test_local import NODES, PATH

SUCCEEDED, CANCELLED = AttemptState.SUCCEEDED, AttemptState.CANCELLED


class Region:
    """A server and, one after the other, agents on the same state directory."""

    def __init__(self, folder: Path, stager: Stager | None = None) -> None:
        self.folder, self.stager = folder, stager
        self.server = FakeServer()
        self.notes: list[str] = []
        self.noted = threading.Semaphore(0)
        self.ended: list[str] = []

    def agent(self):
        centre = LocalCentre(self.folder / "root", NODES, sample_ms=50, path=PATH)
        return looping(
            self.folder, centre, self.server, self.ended.append, stager=self.stager, note=self.note
        )

    def note(self, text):
        self.notes.append(text)
        self.noted.release()

    def state(self, one):
        return self.server.last[one.attempt].state if one.attempt in self.server.last else None

    def wait(self, one, *states):
        self.server.wait_for(lambda: self.state(one) in states)


@pytest.fixture
def region(tmp_path):
    return Region(tmp_path)


def test_a_job_with_all_its_parts(region):
    workdir = tar_of({"words": b"one\ntwo\n"})
    region.server.blobs[sha256(workdir)] = workdir
    one = order(
        'cat words; wc -l <words >"$BAYGRID_OUTPUTS/count/n"',
        workdir=sha256(workdir),
        outputs=("count",),
    )
    with region.agent():
        region.server.want(one)
        region.wait(one, SUCCEEDED, AttemptState.FAILED)
        report = region.server.last[one.attempt]
        assert report.state is SUCCEEDED, report
        assert report.outputs["count"] in region.server.blobs
        region.server.wait_for(lambda: region.server.logs.get(one.attempt) == b"one\ntwo\n")
        assert (one.attempt, 0) in region.server.usage
    assert region.ended == ["stopped"]


def test_stops_arrive_while_others_run(region):
    jobs = [order("exec sleep 600", n) for n in range(3)]
    with region.agent():
        region.server.want(*jobs)
        for one in jobs:
            region.wait(one, AttemptState.RUNNING)
        region.server.want(stops=[stop_of(jobs[1])])
        region.wait(jobs[1], CANCELLED)
        assert region.state(jobs[0]) is region.state(jobs[2]) is AttemptState.RUNNING
        region.server.want(stops=[stop_of(jobs[0]), stop_of(jobs[2])])
        region.wait(jobs[0], CANCELLED)
        region.wait(jobs[2], CANCELLED)


def test_jobs_outlive_the_agent_and_end_while_it_is_away(region):
    marker = region.folder / "marker"
    short = order(f"while [ ! -e {marker} ]; do sleep 0.02; done; echo over", 1)
    long = order("exec sleep 600", 2)
    with region.agent():
        region.server.want(short, long)
        region.wait(short, AttemptState.RUNNING)
        region.wait(long, AttemptState.RUNNING)
    marker.touch()
    with region.agent():
        region.wait(short, SUCCEEDED)
        region.server.wait_for(lambda: region.server.logs.get(short.attempt) == b"over\n")
        region.server.want(stops=[stop_of(long)])
        region.wait(long, CANCELLED)
    assert len(region.server.usage) == 2


def test_a_server_that_comes_and_goes_only_delays(region):
    one = order("echo through")
    region.server.down = True
    with region.agent():
        region.server.want(one)
        assert region.noted.acquire(timeout=20)
        assert "cannot be reached" in region.notes[0]
        region.server.down = False
        region.wait(one, SUCCEEDED)
    assert region.notes[-1] == "the server answers"


def test_a_request_with_the_old_credential_is_no_silence(region):
    one = order("echo through")
    region.server.refusal = Renewed("it was sent with the credential before the present one")
    with region.agent():
        region.server.want(one)
        assert region.noted.acquire(timeout=20)
        assert "made again with the new one" in region.notes[0]
        region.server.refusal = None
        region.wait(one, SUCCEEDED)
    assert not any("cannot be reached" in note for note in region.notes)


def test_limits_are_kept_while_the_server_hangs(region):
    one = order("exec sleep 600", time_s=1)
    hanging = threading.Event()
    release = threading.Event()
    report = region.server.report

    def hang(message):
        if any(a.state is AttemptState.RUNNING for a in message.attempts):
            hanging.set()
            assert release.wait(20)
        return report(message)

    region.server.report = hang
    with region.agent():
        region.server.want(one)
        assert hanging.wait(20)
        claim = Files(str(region.folder / "root" / key_of(one.token))).claim()
        assert claim is not None
        assert claim.pid is not None
        supervisor = processes.hold(claim.pid, claim.start)
        if supervisor is not None:
            assert select.select([supervisor], [], [], 20)[0], "nobody kept the limit"
            os.close(supervisor)
        release.set()
        region.wait(one, AttemptState.FAILED)
    assert region.server.last[one.attempt].cause == "time-limit"


def test_another_agent_takes_over(region):
    with region.agent() as (_, thread):
        region.server.wait_for(lambda: region.server.reports)
        with region.server.changed:
            region.server.pair = (clock() + 10**9, 0)
            region.server.want(order("exit 0"))
        thread.join(20)
        assert "another agent has taken over" in region.ended[0]


def test_a_token_that_is_not_welcome_ends_the_agent(region):
    region.server.refusal = Refused(401, "this token was revoked")
    with region.agent() as (_, thread):
        thread.join(20)
        assert region.ended == ["the server refuses this agent: this token was revoked"]


def test_one_agent_works_on_one_state_directory(tmp_path):
    lock = StateLock(tmp_path / "state")
    with pytest.raises(Locked):
        StateLock(tmp_path / "state")
    lock.release()
    StateLock(tmp_path / "state").release()


def test_a_start_does_not_wait_for_any_interval(region):
    """From the answer to `desired` to the command's first instruction; the rest of the machine is busy,
    too."""
    took = []
    with region.agent():
        region.server.wait_for(lambda: region.server.reports)
        for n in range(15):
            stamp = region.folder / f"stamp-{n}"
            one = order(f"date +%s%N >{stamp}.part && mv {stamp}.part {stamp}", n)
            begun = time.time_ns()
            region.server.want(one)
            region.wait(one, SUCCEEDED)
            took.append((int(stamp.read_text()) - begun) / 1e6)
    assert sorted(took)[2] < 50, took
