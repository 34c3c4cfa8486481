"""The calendar against one that counts every second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.timeline.calendar import Calendar

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


def both(wanted: list[tuple[int, int, int]]) -> tuple[Calendar, Seconds]:
    """What fits is taken in both, what does not is refused by the calendar and changes nothing in it."""
    calendar, seconds = Calendar(NOW, SLOTS), Seconds()
    for slots, begin, end in wanted:
        if seconds.least(begin, end) >= slots:
            seconds.take(slots, begin, end)
            calendar.take(slots, begin, end)
        else:
            before = calendar.steps()
            with pytest.raises(ValueError, match="slots are not free"):
                calendar.take(slots, begin, end)
            assert calendar.steps() == before
    return calendar, seconds


@given(taken)
def test_its_steps_are_those_counted_by_seconds(wanted: list[tuple[int, int, int]]) -> None:
    calendar, seconds = both(wanted)
    steps = calendar.steps()
    assert steps[0][0] == NOW == calendar.now
    assert steps[-1][1] == SLOTS
    ends = [begin for begin, _ in steps[1:]] + [HORIZON]
    spelled = [free for (begin, free), end in zip(steps, ends, strict=True) for _ in range(begin, end)]
    assert spelled == seconds.free
    assert min(spelled) >= 0


@given(taken, st.integers(1, SLOTS), st.integers(0, 50), st.none() | st.integers(60, 200))
def test_the_earliest_start_is_that_counted_by_seconds(
    wanted: list[tuple[int, int, int]], slots: int, duration: int, after: int | None
) -> None:
    calendar, seconds = both(wanted)
    assert calendar.earliest(slots, duration, after) == seconds.earliest(slots, duration, after or NOW)


def test_more_than_there_is_never_fits() -> None:
    calendar = Calendar(0, 4)
    assert calendar.earliest(5, 1) is None
    calendar.take(1, 10, 1 << 60)
    assert calendar.earliest(4, 10) == 0
    assert calendar.earliest(4, 11) is None
