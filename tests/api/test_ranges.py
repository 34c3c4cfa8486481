"""Which bytes a Range header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.api.ranges import NotSatisfiable, Range, asked_range


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, Range(0, 100, True)),
        ("bytes=0-9", Range(0, 10, False)),
        ("Bytes=0-0", Range(0, 1, False)),
        ("bytes=90-", Range(90, 10, False)),
        ("bytes=90-500", Range(90, 10, False)),
        ("bytes=-10", Range(90, 10, False)),
        ("bytes=-1000", Range(0, 100, False)),
        ("bytes=9-3", Range(0, 100, True)),
        ("bytes=0-1,5-6", Range(0, 100, True)),
        ("bytes=-", Range(0, 100, True)),
        ("rows=0-9", Range(0, 100, True)),
        ("bytes=²-9", Range(0, 100, True)),
        ("bytes=" + "9" * 400 + "-", Range(0, 100, True)),
    ],
)
def test_the_bytes_that_are_asked_for(header: str | None, found: Range) -> None:
    assert asked_range(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999999999999-"])
def test_what_lies_beyond_the_end_cannot_be_sent(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        asked_range(header, 100)


@given(st.binary(max_size=40), st.integers(0, 50), st.integers(0, 50))
def test_a_range_is_the_slice_it_says(content: bytes, first: int, last: int) -> None:
    try:
        found = asked_range(f"bytes={first}-{last}", len(content))
    except NotSatisfiable:
        assert len(content) <= first <= last
        return
    if found.whole:
        assert last < first
    else:
        assert content[found.start :][: found.length] == content[first : last + 1]


@given(st.binary(min_size=1, max_size=40), st.integers(1, 50))
def test_a_suffix_is_the_end(content: bytes, length: int) -> None:
    found = asked_range(f"bytes=-{length}", len(content))
    assert content[found.start :][: found.length] == content[-length:]
    assert found.content_range(len(content)).endswith(f"-{len(content) - 1}/{len(content)}")
