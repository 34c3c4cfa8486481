"""Which version a number or a time asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.history import History, OutOfHistory, Version, window

_histories = st.integers(0, 9).flatmap(
    lambda first: st.lists(st.integers(0, 20), min_size=1, max_size=6).map(
        lambda times: History([Version(first + n, at) for n, at in enumerate(sorted(times))])
    )
)


@given(_histories, st.integers(-1, 21))
def test_as_of_a_time_is_the_newest_that_was_there(history: History, at: int) -> None:
    there = [version for version in history.versions if version.at <= at]
    if there:
        assert history.as_of(at) == there[-1]
    else:
        with pytest.raises(OutOfHistory):
            history.as_of(at)


@given(_histories, st.integers(-1, 21))
def test_since_a_time_is_the_oldest_that_was_not_there_before(history: History, at: int) -> None:
    later = [version for version in history.versions if version.at >= at]
    if later:
        assert history.since(at) == later[0]
    else:
        with pytest.raises(OutOfHistory):
            history.since(at)


@given(_histories, st.integers(-1, 20))
def test_a_number_is_that_version_or_none(history: History, number: int) -> None:
    if any(version.number == number for version in history.versions):
        assert history.numbered(number).number == number
    else:
        with pytest.raises(OutOfHistory, match=f"version {number}"):
            history.numbered(number)


def test_changes_end_at_the_newest_and_never_before_they_begin() -> None:
    history = History([Version(n, n * 10) for n in range(2, 6)])
    assert window(history, Version(3, 30), None) == (3, 5)
    assert window(history, Version(3, 30), 4) == (3, 4)
    assert window(history, Version(3, 30), 99) == (3, 5)
    with pytest.raises(OutOfHistory, match="before the start"):
        window(history, Version(3, 30), 2)
