"""A projection to more nodes: only from a curve that was measured, never far from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.rating.scaling import FARTHEST, Curve, NoCurve, fit

COUNTS = st.lists(st.integers(1, 64), min_size=3, max_size=8, unique=True)


@given(counts=COUNTS, each=st.floats(1, 1e9), serial=st.floats(0, 0.5), crosstalk=st.floats(0, 0.01))
def test_a_curve_is_found_again(counts: list[int], each: float, serial: float, crosstalk: float):
    true = Curve(each, serial, crosstalk, tuple(sorted(counts)), 0.0)
    found = fit([(count, true.rate(count)) for count in counts])
    assert found.error < 1e-3
    for count in range(1, max(counts) * FARTHEST + 1, 7):
        assert found.project(count) == pytest.approx(true.rate(count), rel=0.02)


def test_what_scales_perfectly_and_what_follows_amdahl():
    perfect = fit([(1, 100.0), (2, 200.0), (4, 400.0)])
    assert perfect.project(16) == pytest.approx(1600)
    amdahl = fit([(n, 100 * n / (1 + 0.1 * (n - 1))) for n in (1, 2, 4)])
    assert amdahl.serial == pytest.approx(0.1)
    assert amdahl.crosstalk == pytest.approx(0, abs=1e-9)
    assert amdahl.project(16) == pytest.approx(640)


def test_more_than_linear_is_not_believed():
    """A rate above the line is noise: neither part is ever below 0."""
    found = fit([(1, 100.0), (2, 204.0), (4, 408.0)])
    assert (found.serial, found.crosstalk) == (0, 0)
    assert found.project(16) < 1640


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([], "this has nothing yet"),
        ([(1, 100.0)], "a curve needs rates at 3 different counts, and this has 1: measure at more"),
        ([(1, 100.0), (2, 190.0), (2, 195.0)], "this has 1, 2: measure at more"),
        ([(1, 100.0), (2, 0.0), (3, 1.0)], "no number above 0"),
        ([(1, 100.0), (2, float("nan")), (3, 1.0)], "no number above 0"),
        ([(0, 100.0), (2, 100.0), (3, 1.0)], "no number above 0"),
        ([(1, 100.0), (2, 50.0), (4, 400.0)], "off the curve, more than 10%: measure longer"),
    ],
)
def test_what_is_no_curve(points: list[tuple[int, float]], says: str):
    with pytest.raises(NoCurve, match=says):
        fit(points)


@pytest.mark.parametrize("count", [17, 1000, 0, -1])
def test_nothing_is_told_far_from_what_was_measured(count: int):
    with pytest.raises(NoCurve, match="measured at 1, 2, 4, nothing is told beyond 16: measure at"):
        fit([(1, 100.0), (2, 190.0), (4, 360.0)]).project(count)
