"""Inputs from datasets and URIs through the whole agent, on the real local driver: shown while they come,
stopped in the middle."""

import threading

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import StagingFailed
from baygrid.ports.messages import Source
from baygrid.staging.errors import Stopped
from tests.centres.site import order, sha256, stop_of, tar_of
from tests.centres.test_loop import Region

SUCCEEDED, CANCELLED, FAILED = AttemptState.SUCCEEDED, AttemptState.CANCELLED, AttemptState.FAILED
STAGING = AttemptState.STAGING
PHOTOS = Source("https://data.example/photos", "demo", bytes=100)
MODEL = Source("s3://models/small/", "demo", bytes=50)


class FakeStager:
    """Gives 10 bytes at a time; stands still at `gate` when half is there."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.halfway = threading.Semaphore(0)
        self.failure: Exception | None = None

    def place(self, source, into, listener) -> None:
        into.mkdir()
        total = source.bytes
        for done in range(0, total + 1, 10):
            if done == total // 20 * 10:
                listener.told(done, total, "begun anew")
                self.halfway.release()
                while not self.gate.wait(0.02):
                    if not listener.wanted():
                        raise Stopped
            listener.told(done, total, "")
        if self.failure is not None:
            raise self.failure
        (into / "file").write_text(source.uri)


@pytest.fixture
def stager():
    return FakeStager()


@pytest.fixture
def region(tmp_path, stager):
    return Region(tmp_path, stager)


def wanting(command: str, number: int = 1, **sources: Source):
    inputs = {name: source.uri for name, source in sources.items()}
    return order(command, number, inputs=inputs, sources=sources)


def test_sources_are_there_when_the_job_starts_and_what_came_is_told(region):
    workdir = tar_of({"words": b"one\n"})
    region.server.blobs[sha256(workdir)] = workdir
    one = order(
        'cat words "$BAYGRID_INPUTS/photos/file" "$BAYGRID_INPUTS/model/file"',
        workdir=sha256(workdir),
        inputs={"photos": PHOTOS.uri, "model": MODEL.uri},
        sources={"photos": PHOTOS, "model": MODEL},
    )
    with region.agent():
        region.server.want(one)
        region.wait(one, SUCCEEDED, FAILED)
        expected = b"one\n" + PHOTOS.uri.encode() + MODEL.uri.encode()
        region.server.wait_for(lambda: region.server.logs.get(one.attempt) == expected)
    last = region.server.last[one.attempt]
    assert (last.state, last.staged_bytes, last.staging_bytes) == (SUCCEEDED, 150, 150)


def test_how_far_it_is_and_what_happened_is_told_while_it_stages(region, stager):
    stager.gate.clear()
    one = wanting("true", photos=PHOTOS, model=MODEL)
    with region.agent():
        region.server.want(one)
        region.server.wait_for(lambda: region.server.last.get(one.attempt) is not None
                               and region.server.last[one.attempt].staged_bytes == 50)  # fmt: skip
        told = region.server.last[one.attempt]
        assert (told.state, told.staging_bytes, told.detail) == (STAGING, 150, "begun anew")
        stager.gate.set()
        region.wait(one, SUCCEEDED)


def test_a_job_is_cancelled_in_the_middle_of_its_staging(region, stager, tmp_path):
    stager.gate.clear()
    one = wanting("true", photos=PHOTOS)
    with region.agent():
        region.server.want(one)
        assert stager.halfway.acquire(timeout=20)
        region.server.want(stops=[stop_of(one)])
        region.wait(one, CANCELLED, FAILED, SUCCEEDED)
    assert region.state(one) is CANCELLED
    assert not list(tmp_path.rglob("photos*"))


def test_eight_wait_for_inputs_and_a_job_with_a_workdir_still_starts(region, stager):
    workdir = tar_of({"words": b"one\n"})
    region.server.blobs[sha256(workdir)] = workdir
    stager.gate.clear()
    slow = [wanting("true", number, photos=PHOTOS) for number in range(10)]
    quick = order("cat words", 99, workdir=sha256(workdir))
    with region.agent():
        region.server.want(*slow)
        for _ in range(8):
            assert stager.halfway.acquire(timeout=20)
        region.server.want(quick)
        region.wait(quick, SUCCEEDED)
        stager.gate.set()
        for one in slow:
            region.wait(one, SUCCEEDED)


def test_what_cannot_be_had_fails_the_job_with_its_sentence(region, stager):
    stager.failure = StagingFailed("data.example answered 404")
    one = wanting("true", photos=PHOTOS)
    with region.agent():
        region.server.want(one)
        region.wait(one, FAILED)
    told = region.server.last[one.attempt]
    assert (told.cause, told.detail) == ("staging-failed", "data.example answered 404")


def test_an_unknown_fault_ends_that_attempt_and_not_the_agent(region, stager):
    stager.failure = LookupError("no such profile")
    first, second = wanting("true", 1, photos=PHOTOS), wanting("true", 2, photos=PHOTOS)
    with region.agent():
        region.server.want(first)
        region.wait(first, FAILED)
        stager.failure = None
        region.server.want(second)
        region.wait(second, SUCCEEDED)
    told = region.server.last[first.attempt]
    assert (told.cause, "LookupError: no such profile" in told.detail) == ("staging-failed", True)
    assert any("Traceback" in note for note in region.notes)


def test_a_centre_without_a_stager_says_so(tmp_path):
    region = Region(tmp_path)
    one = wanting("true", photos=PHOTOS)
    with region.agent():
        region.server.want(one)
        region.wait(one, FAILED)
    assert "fetches nothing from datasets and URIs" in region.server.last[one.attempt].detail
