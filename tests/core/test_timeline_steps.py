"""Free slots by steps against a count of every second."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.timeline.steps import FOREVER, earliest, lowest, occupy

SLOTS, NOW, HORIZON = 6, 100, 400

taken = st.lists(
    st.tuples(st.integers(1, SLOTS), st.integers(80, 180), st.integers(0, 60)).map(
        lambda it: (it[0], it[1], it[1] + it[2])
    ),
    max_size=25,
)


class Seconds:
    """Free slots of each second from NOW to HORIZON."""

    def __init__(self) -> None:
        self.free = [SLOTS] * (HORIZON - NOW)

    def stretch(self, begin: int, end: int) -> range:
        return range(max(begin, NOW) - NOW, max(end, NOW) - NOW)

    def least(self, begin: int, end: int) -> int:
        return min((self.free[second] for second in self.stretch(begin, end)), default=SLOTS)

    def take(self, slots: int, begin: int, end: int) -> None:
        for second in self.stretch(begin, end):
            self.free[second] -= slots

    def earliest(self, slots: int, duration: int, after: int) -> int:
        begin = max(after, NOW)
        while self.least(begin, begin + max(duration, 1)) < slots:
            begin += 1
        return begin


class Calendar:
    """The steps of all SLOTS from NOW on."""

    def __init__(self) -> None:
        self.times, self.free = np.full(99, NOW), np.full(99, SLOTS)
        self.size = 1

    def steps(self) -> list[tuple[int, int]]:
        return list(zip(self.times[: self.size].tolist(), self.free[: self.size].tolist(), strict=True))

    def least(self, begin: int, end: int) -> int:
        return int(lowest(self.times, self.free, self.size, begin, end))

    def take(self, slots: int, begin: int, end: int) -> None:
        self.size = occupy(self.times, self.free, self.size, begin, end, slots)

    def earliest(self, slots: int, duration: int, after: int) -> int:
        return int(earliest(self.times, self.free, self.size, after, duration, slots))


def both(wanted: list[tuple[int, int, int]]) -> tuple[Calendar, Seconds]:
    """What fits is taken in both."""
    calendar, seconds = Calendar(), Seconds()
    for slots, begin, end in wanted:
        begin = max(begin, NOW)
        if end <= begin:
            continue
        least = calendar.least(begin, end)
        assert least == seconds.least(begin, end)
        if least >= slots:
            seconds.take(slots, begin, end)
            calendar.take(slots, begin, end)
    return calendar, seconds


@given(taken)
def test_its_steps_are_those_counted_by_seconds(wanted: list[tuple[int, int, int]]) -> None:
    calendar, seconds = both(wanted)
    steps = calendar.steps()
    assert steps[0][0] == NOW
    assert steps[-1][1] == SLOTS
    ends = [begin for begin, _ in steps[1:]] + [HORIZON]
    spelled = [free for (begin, free), end in zip(steps, ends, strict=True) for _ in range(begin, end)]
    assert spelled == seconds.free
    assert min(spelled) >= 0


@given(taken, st.integers(1, SLOTS), st.integers(0, 50), st.integers(NOW, 200))
def test_the_earliest_start_is_that_counted_by_seconds(
    wanted: list[tuple[int, int, int]], slots: int, duration: int, after: int
) -> None:
    calendar, seconds = both(wanted)
    assert calendar.earliest(slots, duration, after) == seconds.earliest(slots, duration, after)


def test_more_than_there_is_never_fits() -> None:
    calendar = Calendar()
    assert calendar.earliest(SLOTS + 1, 1, NOW) == FOREVER
    calendar.take(1, NOW + 10, FOREVER)
    assert calendar.earliest(SLOTS, 10, NOW) == NOW
    assert calendar.earliest(SLOTS, 11, NOW) == FOREVER
