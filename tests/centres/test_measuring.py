"""Measuring a link: within bounds, never beside other bytes, and told until the server knows."""

import threading
from collections.abc import Iterator

import pytest

from baygrid.centres.agent import Agent
from baygrid.centres.measuring import AGAIN_MS, LONGEST_S, PIECES, Ceased, Measuring, measure
from baygrid.centres.tunnels import Doorkeeper, Entered
from baygrid.core.placement.links import KEPT, Sample
from baygrid.ports.messages import Refused, ReportAnswer, Unreachable
from baygrid.ports.tunnels import Frame, Tunnel
from tests.centres.fakes import FakeCentre, FakeKey, MemoryJournal

CHUNK = 1 << 16


class Wire:
    """A link of so many bit/s and seconds to and fro, whose time passes only with its bytes. Of the small
    questions those in `lost` have no answer; data breaks off after `breaks` bytes."""

    def __init__(self, bit_s: float, latency_s: float = 0.01, lost=(), breaks: int | None = None) -> None:
        self.now, self.came, self.asked = 0.0, 0, 0
        self._bit_s, self._latency_s, self._lost, self._breaks = bit_s, latency_s, lost, breaks

    def piece(self, size: int, timeout_s: float) -> Iterator[bytes]:
        self.now += self._latency_s
        self.asked += 1
        if self.asked in self._lost:
            raise Unreachable("nothing came")
        for _ in range(0, size, CHUNK):
            self.now += CHUNK * 8 / self._bit_s
            self.came += CHUNK
            if self._breaks is not None and self.came > self._breaks:
                raise Unreachable("it broke")
            yield bytes(CHUNK)


def measured(wire: Wire, cease=lambda: False) -> Sample:
    return measure(wire, lambda: 77, lambda: wire.now, cease)


@pytest.mark.parametrize("bit_s", [10**6, 10**8, 10**10])
def test_what_a_link_carries_is_found(bit_s: int):
    wire = Wire(bit_s)
    found = measured(wire)
    assert found.bit_s == pytest.approx(bit_s, rel=0.02)
    assert (found.at, found.least_us, found.median_us, found.sent, found.lost) == (77, 10_000, 10_000, 5, 0)


@pytest.mark.parametrize("bit_s", [10**4, 10**7, 10**11])
def test_it_takes_no_more_than_its_bounds(bit_s: int):
    wire = Wire(bit_s)
    assert measured(wire).bit_s == pytest.approx(bit_s, rel=0.02)
    assert wire.came <= sum(PIECES)
    assert wire.now <= LONGEST_S + max(1.0, 2 * CHUNK * 8 / bit_s)


def test_lost_questions_are_counted():
    found = measured(Wire(10**8, lost={2, 4}))
    assert (found.sent, found.lost) == (5, 2)
    assert found.bit_s is not None


def test_a_dead_link_is_a_sample_too():
    wire = Wire(10**8, lost=range(100))
    assert measured(wire) == Sample(77, None, None, None, 5, 5)
    assert wire.came == 0


def test_a_link_that_breaks_is_known_by_what_came_whole():
    whole = sum(PIECES[:2])
    assert measured(Wire(10**8, breaks=whole)).bit_s == pytest.approx(10**8, rel=0.02)
    assert measured(Wire(10**8, breaks=CHUNK)).bit_s is None


@pytest.mark.parametrize("after", [0, 3, 20])
def test_other_bytes_go_first(after: int):
    wire = Wire(10**8)
    looks = iter(range(1000))
    with pytest.raises(Ceased):
        measured(wire, lambda: next(looks) >= after)
    assert wire.came <= after * CHUNK


def test_it_is_done_soon_after_the_start_then_now_and_then():
    plan = Measuring(lambda cease: Sample(1, 1, 1, 1, 5, 0), 1_000, lambda: 0.5, 3_600_000)
    assert plan.due_at == 31_000
    plan.begin()
    assert plan.ended(Ceased(), 40_000) is None
    assert plan.due_at == 40_000 + AGAIN_MS
    sample = plan.make(lambda: False)
    assert plan.ended(sample, 100_000) == sample
    assert plan.due_at == 3_700_000


def test_while_it_is_under_way_none_is_due():
    plan = Measuring(lambda cease: Sample(1, 1, 1, 1, 5, 0), 1_000, lambda: 0.5)
    plan.begin()
    assert plan.due_at is None


def test_a_server_without_an_exchange_is_asked_again_much_later():
    plan = Measuring(lambda cease: Sample(1, 1, 1, 1, 5, 0), 0, lambda: 0.5, 3_600_000)
    assert plan.ended(Refused(404, "no such thing"), 5) is None
    assert plan.due_at == 3_600_005
    with pytest.raises(KeyError):
        plan.ended(KeyError("a fault of ours"), 5)


def test_a_measurement_is_told_until_there_is_an_answer():
    agent = Agent("hq", FakeCentre(), MemoryJournal(), FakeKey(), 1_000)
    agent.report(1_000)
    agent.answered(ReportAnswer(0, (), (), "d"), 1_000)
    first, second = (Sample(n, 10**8, 900, 900, 5, 0) for n in (1, 2))
    agent.measured(first, 2_000)
    assert agent.report(2_100).links == (first,)
    agent.unanswered()
    assert agent.report(2_200).links == (first,)
    agent.measured(second, 2_300)  # while the report is on its way
    agent.answered(ReportAnswer(0, (), (), "d"), 2_300)
    assert second in agent.report(2_400).links
    agent.answered(ReportAnswer(0, (), (), "d"), 2_500)
    assert agent.report(2_600).links == ()
    for n in range(20):
        agent.measured(Sample(n, 10**8, 900, 900, 5, 0), 3_000)
    assert len(agent.report(3_000).links) == KEPT


class OneTunnel:
    """A way that wants one tunnel, and an attempt behind it that has nothing to say until `end`."""

    def __init__(self) -> None:
        self.entered, self.end = threading.Event(), threading.Event()
        self.server = threading.current_thread()
        self._left = [(Tunnel("t1", "a1", "token", ("true",)),)]

    def wanted(self, wait_s: float) -> tuple[Tunnel, ...]:
        if not self._left:
            self.end.wait(20)
        return self._left.pop() if self._left else ()

    def read(self, id: str) -> Iterator[bytes]:
        return iter(())

    def write(self, id: str, chunks: Iterator[bytes]) -> None:
        for _ in chunks:
            pass

    def enter(self, tunnel: Tunnel) -> Entered:
        return self

    def out(self) -> Iterator[bytes]:
        self.server = threading.current_thread()
        self.entered.set()
        self.end.wait(20)
        yield b""

    def take(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


def test_an_open_tunnel_is_told_so_that_the_link_is_left_to_it():
    way = OneTunnel()
    door = Doorkeeper(way, way.enter)
    assert way.entered.wait(20)
    assert door.serving
    door.stop()
    way.end.set()
    way.server.join(20)
    assert not door.serving
