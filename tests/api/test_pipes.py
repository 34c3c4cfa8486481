"""Where the ends of a tunnel meet: order, back-pressure, and ends."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.api import pipes
from baygrid.api.pipes import Pipe, Tunnels
from baygrid.api.waiters import Hub
from baygrid.app.problems import NotFound, WrongState
from baygrid.ports.tunnels import MOST, Tunnel, frames, packed

ONE = Tunnel("tun-1", "att-1", "token")


def test_whoever_sends_much_waits_for_the_reader():
    async def run() -> None:
        pipe = Pipe()
        assert await pipe.put(b"x" * pipes.MOST)
        second = asyncio.ensure_future(pipe.put(b"y"))
        await asyncio.sleep(0)
        assert not second.done()
        assert await pipe.take() == b"x" * pipes.MOST
        assert await second
        await pipe.finish()
        assert (await pipe.take(), await pipe.take()) == (b"y", b"")
        assert not await pipe.put(b"z")

    asyncio.run(run())


def test_only_its_own_ends_find_it_and_both_see_its_end():
    async def run() -> None:
        room = Tunnels(Hub())
        ends = room.open(ONE, "tok-1", "hub")
        assert room.told("hub") == (ONE,)
        assert room.told("hub") == ()
        assert room.of_owner("tun-1", "tok-1") is room.of_centre("tun-1", "hub") is ends
        for wrong in (lambda: room.of_owner("tun-1", "tok-2"), lambda: room.of_centre("tun-1", "far")):
            with pytest.raises(NotFound):
                wrong()
        room.drop("tun-1")
        assert (await ends.inward.take(), await ends.outward.take()) == (b"", b"")
        with pytest.raises(NotFound):
            room.of_owner("tun-1", "tok-1")

    asyncio.run(run())


def test_one_that_nobody_answers_or_uses_ends(monkeypatch: pytest.MonkeyPatch):
    async def run(name: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(pipes, name, 0.01)
            room = Tunnels(Hub())
            ends = room.open(ONE, "tok-1", "hub")
            ends.came = name != "COME_S"
            assert await ends.outward.take() == b""
        assert room.told("hub") == (), "an agent that comes late must not begin it"

    for name in ("COME_S", "IDLE_S", "TOTAL_S"):
        asyncio.run(run(name))


def test_a_centre_has_only_so_many(monkeypatch: pytest.MonkeyPatch):
    async def run() -> None:
        monkeypatch.setattr(pipes, "AT_ONCE", 1)
        room = Tunnels(Hub())
        room.open(ONE, "tok-1", "hub")
        with pytest.raises(WrongState, match="already"):
            room.open(ONE, "tok-1", "hub")

    asyncio.run(run())


@given(st.lists(st.tuples(st.sampled_from([b"d", b"z"]), st.binary(max_size=20))), st.integers(1, 9))
def test_frames_cut_anywhere_are_the_same_frames(given_: list[tuple[bytes, bytes]], size: int):
    whole = b"".join(packed(kind, data) for kind, data in given_)
    assert list(frames(whole[at : at + size] for at in range(0, len(whole), size))) == given_


def test_a_frame_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="a frame of"):
        list(frames([packed(b"d", b"x" * (MOST + 1))]))
