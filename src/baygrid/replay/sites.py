"""The sites of a federation as they really are, and the two ways without a broker: alone, and as one pool."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush


class Site:
    """Processors and a queue in order of arrival, where a job that does not fit yet blocks those behind it.
    Times in seconds. `starts` is filled in for every job that starts."""

    __slots__ = ("_free", "_line", "_runtime", "_starts", "_widths")

    def __init__(
        self, capacity: int, widths: Sequence[int], runtime: Sequence[int], starts: list[int]
    ) -> None:
        self._free = capacity
        self._widths = widths
        self._runtime = runtime
        self._starts = starts
        self._line: deque[int] = deque()

    def arrives(self, job: int, now: int) -> list[tuple[int, int]]:
        """The job joins the queue. Answers what starts now: (end, job)."""
        self._line.append(job)
        return self._go(now) if len(self._line) == 1 else []

    def ends(self, job: int, now: int) -> list[tuple[int, int]]:
        self._free += self._widths[job]
        return self._go(now) if self._line else []

    def _go(self, now: int) -> list[tuple[int, int]]:
        started = []
        line = self._line
        while line and self._widths[line[0]] <= self._free:
            job = line.popleft()
            self._free -= self._widths[job]
            self._starts[job] = now
            started.append((now + self._runtime[job], job))
        return started


def in_order(
    jobs: Sequence[int],
    capacity: int,
    submit: Sequence[int],
    widths: Sequence[int],
    runtime: Sequence[int],
    starts: list[int],
) -> None:
    """Fills in the `starts` of `jobs` (sorted by submission, none wider than `capacity`) on one site that has
    them all, first come first served."""
    site = Site(capacity, widths, runtime, starts)
    ends: list[tuple[int, int]] = []
    for job in jobs:
        while ends and ends[0][0] <= submit[job]:
            now, ended = heappop(ends)
            for started in site.ends(ended, now):
                heappush(ends, started)
        for started in site.arrives(job, submit[job]):
            heappush(ends, started)
    while ends:
        now, ended = heappop(ends)
        for started in site.ends(ended, now):
            heappush(ends, started)


def peak(submit: Sequence[int], runtime: Sequence[int], widths: Sequence[int]) -> int:
    """The most processors in use at once by jobs that start when given; one that ends makes room at once."""
    begins = zip(submit, widths, strict=True)
    ends = ((begin + run, -width) for begin, run, width in zip(submit, runtime, widths, strict=True))
    used = most = 0
    for _, change in sorted([*begins, *ends]):
        used += change
        most = max(most, used)
    return most
