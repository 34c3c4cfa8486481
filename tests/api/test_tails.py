"""Many follow one log by one reader: each gets all of it once, from its own place, as long as it may."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from starlette.testclient import TestClient

from baygrid.api import streams
from baygrid.api.app import create_app
from baygrid.api.edge import Call, Server
from baygrid.api.tails import KEPT, LOOKING, PIECE, End
from baygrid.app import logs
from baygrid.app.access import Actor, secret_digest
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.records import AttemptRecord, Role
from tests.api.acting import running
from tests.api.world import World, waiting

T = TypeVar("T")
AGENT = Actor("agent", Role.CENTRE, "far", centre="far")


class Job:
    """A running job whose log the test writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.attempt: AttemptRecord = running(world, TestClient(world.app, headers=world.headers("team")))
        self.log = b""

    @property
    def server(self) -> Server:
        server: Server = self.world.app.state.server
        return server

    def says(self, text: bytes) -> None:
        logs.append(self.world.platform, AGENT, self.attempt.id, self.attempt.token, len(self.log), text)
        self.log += text

    def ends(self) -> None:
        self.world.report("far", self.attempt, AttemptState.SUCCEEDED, exit_code=0, log_size=len(self.log))

    def follow(
        self, offset: int = 0, who: str = "team", server: Server | None = None
    ) -> AsyncIterator[bytes]:
        server = server or self.server
        header = self.world.headers(who)["Authorization"]
        call = Call(server, server.sessions.authenticate(header), header)
        first = logs.read(call.platform, call.actor, self.attempt.job, None, offset, PIECE)
        return streams.log(call, self.attempt.job, first)


@pytest.fixture
def job(world: World) -> Job:
    return Job(world)


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await main

    return asyncio.run(bounded())


async def taken(follower: AsyncIterator[bytes], least: int = 2**62) -> bytes:
    """So many bytes of it, or all to its end."""
    found = b""
    while len(found) < least and (piece := await anext(follower, b"")):
        found += piece
    return found


def test_the_end_of_a_log_gives_from_every_place_what_comes_there_or_says_that_it_begins_later():
    chance = random.Random(7)
    for _ in range(50):
        start = chance.randrange(100)
        end, whole, last = End(start, kept=64), bytes(start), 0
        for _ in range(30):
            data = chance.randbytes(chance.choice((0, 1, 7, 40, 100)))
            end.extend(data)
            whole += data
            assert end.end == len(whole)
            last = len(data) or last
            assert len(whole) - max(64, last) <= end.start
            for at in range(len(whole) + 3):
                found = end.piece(at)
                assert found == (None if at < end.start else whole[at:])


def test_a_piece_is_no_longer_than_a_read():
    end = End(0)
    for _ in range(10):
        end.extend(bytes(100_000))
    assert [len(end.piece(at) or b"") for at in (0, 950_000)] == [200_000, 50_000]


def test_followers_from_every_place_and_time_get_each_byte_once(job: Job):
    chance = random.Random(9)

    async def main() -> None:
        job.says(b"before anybody came\n")
        followers = [asyncio.create_task(taken(job.follow())) for _ in range(50)]
        offsets = [0] * 50
        for n in range(40):
            await asyncio.to_thread(job.says, b"line %d\n" % n * chance.randrange(1, 20))
            at = chance.randrange(len(job.log) + 1)
            offsets.append(at)
            followers.append(asyncio.create_task(taken(job.follow(at))))
        await asyncio.to_thread(job.ends)
        for at, found in zip(offsets, await asyncio.gather(*followers), strict=True):
            assert found == job.log[at:]

    run(main())


def test_one_reader_reads_for_all(job: Job, monkeypatch: pytest.MonkeyPatch):
    reads: list[str] = []

    def counted(name: str) -> None:
        original = getattr(logs, name)

        def look(*arguments: Any) -> logs.LogPart:
            reads.append(name)
            found: logs.LogPart = original(*arguments)
            return found

        monkeypatch.setattr(logs, name, look)

    for name in ("read", "tail"):
        counted(name)

    async def main() -> None:
        followers = [job.follow() for _ in range(100)]
        beginning = [asyncio.create_task(taken(it, 5)) for it in followers]
        await asyncio.to_thread(job.says, b"one \n")
        await asyncio.gather(*beginning)
        reads.clear()
        for n in range(10):
            await asyncio.to_thread(job.says, b"line %d\n" % n)
            assert await asyncio.gather(*(taken(it, 7) for it in followers)) == [b"line %d\n" % n] * 100

    run(main())
    assert reads.count("read") == 0
    assert 10 <= reads.count("tail") <= 30


def test_who_reads_slowly_loses_nothing_and_holds_nobody_up(job: Job):
    text = b"x" * 1_023 + b"\n"

    async def main() -> None:
        slow, quick = job.follow(), job.follow()
        job.says(text)
        assert await taken(slow, 1) == await taken(quick, 1) == text
        waits = asyncio.create_task(taken(quick, 3 * KEPT))
        for _ in range(3 * KEPT // (256 * 1024)):
            await asyncio.to_thread(job.says, text * 256)
        assert await waits == job.log[len(text) :]
        await asyncio.to_thread(job.ends)
        assert await taken(quick) == b""
        assert await taken(slow) == job.log[len(text) :]

    run(main())


def test_a_server_that_stops_ends_its_streams_and_the_next_one_goes_on_from_there(job: Job):
    async def main() -> None:
        job.says(b"one\n")
        follower = job.follow()
        assert await taken(follower, 1) == b"one\n"
        rest = asyncio.create_task(taken(follower))
        await asyncio.to_thread(job.says, b"two\n")
        job.server.hub.close()
        seen = b"one\n" + await rest
        assert job.log.startswith(seen)
        await asyncio.to_thread(job.says, b"three\n")
        next: Server = create_app(job.world.platform, role=lambda: "leader").state.server
        rest = asyncio.create_task(taken(job.follow(len(seen), server=next)))
        await asyncio.to_thread(job.says, b"four\n")
        await asyncio.to_thread(job.ends)
        assert seen + await rest == b"one\ntwo\nthree\nfour\n"

    run(main())


def test_each_follower_is_judged_alone(job: Job):
    def revoke() -> None:
        (id,) = (it.id for it in job.world.store.read(lambda tx: tx.region.tokens()) if it.label == "team")
        now = job.world.clock()
        job.world.store.write(lambda tx: tx.region.revoke_token(id, now))

    async def main() -> None:
        team, operator = job.follow(), job.follow(who="operator")
        job.says(b"for both\n")
        assert await taken(team, 1) == await taken(operator, 1) == b"for both\n"
        ended = asyncio.create_task(taken(team))
        await asyncio.to_thread(revoke)
        await asyncio.to_thread(job.says, b"for one\n")
        assert await taken(operator, 1) == b"for one\n"
        assert await ended == b""

    run(main())


def test_a_token_that_expires_ends_a_stream_that_nothing_else_wakes(
    job: Job, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("baygrid.api.tails.TICK_S", 0.05)
    soon = job.world.clock() + 60_000

    def expires(tx: Any) -> str:
        (row,) = (it for it in tx.region.tokens() if it.label == "team")
        made = replace(row, id="tok-short", sha256=secret_digest("short"), expires_at=soon, label="short")
        tx.region.insert_token(made)
        return "short"

    job.world.secrets["short"] = job.world.store.write(expires)

    async def main() -> None:
        follower = asyncio.create_task(taken(job.follow(who="short")))
        await asyncio.sleep(0)
        job.world.clock.ahead_ms += 60_000
        assert await follower == b""

    run(main())


def test_the_last_who_leaves_ends_the_reader(job: Job):
    async def main() -> None:
        hub, topic = job.server.hub, f"log:{job.attempt.id}"
        job.says(b"one\n")
        one, other = job.follow(), job.follow()
        for it in (one, other):
            assert await taken(it, 1) == b"one\n"
            waits = asyncio.create_task(taken(it, 1))
            await asyncio.sleep(0.05)
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)
            await asyncio.sleep(0.05)
        assert waiting(hub, topic) == 0
        assert not job.server.tails._tails
        job.says(b"two\n")
        assert await taken(job.follow(4), 1) == b"two\n"

    run(main())


def test_a_reader_that_fails_breaks_its_streams_and_the_next_begins_anew(
    job: Job, monkeypatch: pytest.MonkeyPatch
):
    get = job.world.objects.get

    def away(*_: Any) -> Any:
        raise OSError("the objects are away")

    async def main() -> None:
        job.says(b"one\n")
        follower = job.follow()
        assert await taken(follower, 1) == b"one\n"
        more = asyncio.create_task(taken(follower, 1))
        await asyncio.sleep(0.05)
        monkeypatch.setattr(job.world.objects, "get", away)
        await asyncio.to_thread(job.says, b"two\n")
        with pytest.raises(OSError, match="away"):  # not an end: who follows asks again from its place
            await more
        monkeypatch.setattr(job.world.objects, "get", get)
        assert await taken(job.follow(4), 1) == b"two\n"

    run(main())


def test_five_hundred_followers_hold_a_few_threads(job: Job):
    def workers() -> int:
        return sum("AnyIO worker" in it.name for it in threading.enumerate())

    before = workers()

    async def main() -> list[bytes]:
        followers = [asyncio.create_task(taken(job.follow())) for _ in range(500)]
        most = 0
        for n in range(20):
            await asyncio.to_thread(job.says, b"line %d\n" % n)
            most = max(most, workers())
        await asyncio.to_thread(job.ends)
        assert most - before <= LOOKING
        return await asyncio.gather(*followers)

    assert run(main()) == [job.log] * 500
