"""Seats: the layout is right for every set of parts, and counting is enough where sizes divide each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.placement.rotation import seats
from tests.core.test_rotation_properties import seated

WIDTH = 8


def taken(sizes: list[int], nodes: int, rule: int, width: int = WIDTH) -> list[bool]:
    """Which of these gangs get seats, in this order, while GPUs last."""
    floor = seats.floor(nodes, width, rule, np.array(sorted(set(sizes)), np.int64))
    seats.clear(floor)
    left, told = nodes * width, []
    for size in sizes:
        told.append(size <= left and bool(seats.take(floor, size)))
        left -= size if told[-1] else 0
    return told


@given(st.lists(st.integers(1, 20), max_size=10), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_whoever_is_let_in_can_sit(sizes, nodes):
    for rule in (seats.IN_ORDER, seats.PACKED):
        told = taken(sizes, nodes, rule)
        let_in = [size for size, its in zip(sizes, told, strict=True) if its]
        assert seated(sorted(let_in, reverse=True), [WIDTH] * nodes)


@given(st.lists(st.sampled_from([1, 2, 4, 8, 16, 24]), max_size=24), st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_where_sizes_divide_each_other_every_free_gpu_can_be_used(sizes, nodes):
    left = nodes * WIDTH
    for size, its in zip(sizes, taken(sizes, nodes, seats.PACKED), strict=True):
        assert its == (size <= left)
        left -= size if its else 0


def test_in_order_small_gangs_break_up_a_node_that_packing_keeps_whole():
    assert taken([6, 6, 2, 2, 16], 4, seats.IN_ORDER) == [True] * 5
    assert taken([5, 4, 3, 4], 2, seats.IN_ORDER) == [True, True, True, True]
    assert taken([4, 3, 5, 4], 2, seats.IN_ORDER) == [True, True, True, False]
    assert taken([4, 3, 5, 4], 2, seats.PACKED) == [True, True, True, True]


@pytest.mark.parametrize("rule", [seats.IN_ORDER, seats.PACKED])
def test_a_wide_gang_needs_whole_nodes_and_one_more_for_the_rest(rule):
    assert taken([1, 12], 2, rule) == [True, True]  # 8 on one, 4 beside the 1
    assert taken([1, 1, 12, 3], 2, rule) == [True, True, True, False]  # 8 + (1 + 1 + 4), 2 left
    assert taken([5, 12], 2, rule) == [True, False]
