"""Lines of jobs before a pool of slots: what must hold for any jobs, and EASY against a plain restatement."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.timeline.backfill import Easy, InOrder, Line, Waiting

SLOTS = 8
Job = tuple[int, int, int, int]  # submitted, runs, slots, estimate

some_jobs = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, SLOTS), st.integers(0, 40)),
    min_size=1,
    max_size=40,
).map(sorted)
LINES: list[Callable[[], Line]] = [
    lambda: InOrder(SLOTS),
    lambda: InOrder(SLOTS, shortest=True),
    lambda: Easy(SLOTS),
]


def played(jobs: list[Job], line: Line, seen: Callable[[int, list[int]], None] | None = None) -> list[int]:
    """When each job started."""
    start: dict[int, int] = {}
    ends: list[tuple[int, int]] = []
    arrived = 0
    while arrived < len(jobs) or ends:
        times = [jobs[arrived][0]] if arrived < len(jobs) else []
        now = min(times + [end for end, _ in ends[:1]])
        while ends and ends[0][0] == now:
            line.end(now, heappop(ends)[1])
        while arrived < len(jobs) and jobs[arrived][0] == now:
            line.submit(now, Waiting(arrived, jobs[arrived][2], jobs[arrived][3]))
            arrived += 1
        started = line.starts(now)
        for job in started:
            assert job not in start, "started twice"
            start[job] = now
            heappush(ends, (now + jobs[job][1], job))
        if seen:
            seen(now, started)
    assert sorted(start) == list(range(len(jobs))), "a job was lost"
    return [start[job] for job in range(len(jobs))]


@pytest.mark.parametrize("line", LINES)
@given(jobs=some_jobs)
def test_never_over_capacity_and_no_job_lost(line: Callable[[], Line], jobs: list[Job]) -> None:
    start = played(jobs, line())
    for at in start:
        used = sum(
            job[2] for job, begun in zip(jobs, start, strict=True) if begun <= at < begun + max(job[1], 0)
        )
        assert used <= SLOTS
    assert all(begun >= job[0] for job, begun in zip(jobs, start, strict=True))


@given(jobs=some_jobs)
def test_fifo_starts_in_the_order_of_arrival(jobs: list[Job]) -> None:
    start = played(jobs, InOrder(SLOTS))
    assert start == sorted(start)


@given(jobs=some_jobs)
def test_sjf_starts_the_shortest_of_those_that_wait(jobs: list[Job]) -> None:
    start = played(jobs, InOrder(SLOTS, shortest=True))
    for job, begun in zip(jobs, start, strict=True):
        for other, other_begun in zip(jobs, start, strict=True):
            waited_beside = other[0] <= begun < other_begun
            assert not (waited_beside and other[3] < job[3]), "a longer one overtook a shorter one"


class PlainEasy:
    """EASY as the papers tell it, all of it worked out anew at every event."""

    def __init__(self) -> None:
        self.queue: list[Waiting] = []
        self.running: dict[int, tuple[int, int]] = {}

    def submit(self, now: int, job: Waiting) -> None:
        self.queue.append(job)

    def end(self, now: int, job: int) -> None:
        del self.running[job]

    def free(self) -> int:
        return SLOTS - sum(count for _, count in self.running.values())

    def starts(self, now: int) -> list[int]:
        started = []

        def run(job: Waiting) -> None:
            self.queue.remove(job)
            self.running[job.job] = (now + job.estimate, job.slots)
            started.append(job.job)

        while self.queue and self.queue[0].slots <= self.free():
            run(self.queue[0])
        for job in self.queue[1:]:
            shadow, spare = self.reservation(now)
            ends_before = now + job.estimate <= shadow
            if job.slots <= self.free() and (ends_before or job.slots <= spare):
                run(job)
        return started

    def reservation(self, now: int) -> tuple[int, int]:
        """The earliest time at which the head fits, by the estimates, and what is left then."""
        head = self.queue[0].slots
        for at in sorted({now, *(max(now, end) for end, _ in self.running.values())}):
            left = SLOTS - sum(count for end, count in self.running.values() if end > at) - head
            if left >= 0:
                return at, left
        raise AssertionError("an empty pool holds every job")


@given(jobs=some_jobs)
def test_easy_is_easy(jobs: list[Job]) -> None:
    assert played(jobs, Easy(SLOTS)) == played(jobs, PlainEasy())


@given(jobs=some_jobs)
def test_backfill_never_delays_the_blocked_head(jobs: list[Job]) -> None:
    """Where every job ends by its estimate, the first promise to a head is kept."""
    kept = [(submit, runs, slots, runs + slack) for submit, runs, slots, slack in jobs]
    line = Easy(SLOTS)
    promised: dict[int, int] = {}
    waits = list(range(len(kept)))

    def note(now: int, started: list[int]) -> None:
        for job in started:
            waits.remove(job)
        if waits and kept[waits[0]][0] <= now:
            assert line.shadow is not None
            promised.setdefault(waits[0], line.shadow)

    start = played(kept, line, note)
    assert all(start[head] <= at for head, at in promised.items())


def test_a_hole_is_filled_by_a_short_job_or_a_narrow_one() -> None:
    line = Easy(8)
    line.submit(0, Waiting(0, 6, 100))
    line.submit(0, Waiting(1, 7, 50))
    line.submit(0, Waiting(2, 2, 200))  # too long before the head, too wide beside it
    line.submit(0, Waiting(3, 1, 200))  # the one spare slot
    line.submit(0, Waiting(4, 1, 100))  # gone when the head comes
    assert line.starts(0) == [0, 3, 4]
    assert (line.shadow, line.spare, line.free) == (100, 0, 0)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("slots", [0, 9])
def test_a_job_that_never_fits_is_refused(line: Callable[[], Line], slots: int) -> None:
    with pytest.raises(ValueError, match="of 8 slots"):
        line().submit(0, Waiting(0, slots, 1))
