"""Which allocation pays for which charge: sums, limits, order."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.allocations import Allocation, Source, drawn, returnable
from baygrid.core.units import Money

MOMENTS: Final = st.integers(0, 12)
CHARGES: Final = st.lists(st.tuples(MOMENTS, st.integers(0, 60)), max_size=12)


def allocation(
    id: str,
    minor: int,
    start: int = 0,
    end: int | None = None,
    source: Source = Source.GRANT,
    returned: int = 0,
) -> Allocation:
    return Allocation(id, "demo", source, Money(minor, "CNY"), start, end, "training", returned)


@st.composite
def _allocations(draw: st.DrawFn) -> list[Allocation]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(MOMENTS)
        end = draw(st.none() | st.integers(start + 1, 14))
        minor = draw(st.integers(0, 90))
        source = draw(st.sampled_from(Source))
        found.append(allocation(f"a{number}", minor, start, end, source, draw(st.integers(0, minor))))
    return found


@given(_allocations(), CHARGES)
def test_what_is_drawn_sums_to_the_charges_and_none_gives_more_than_it_kept(
    allocations: list[Allocation], charges: list[tuple[int, int]]
) -> None:
    used = drawn(allocations, charges)
    assert set(used) == {it.id for it in allocations}
    assert sum(used.values()) == min(sum(minor for _, minor in charges), sum(it.kept for it in allocations))
    assert all(0 <= used[it.id] <= it.kept <= it.amount.minor for it in allocations)


@given(_allocations(), CHARGES, st.randoms(use_true_random=False))
def test_neither_the_order_of_charges_nor_that_of_allocations_matters(
    allocations: list[Allocation], charges: list[tuple[int, int]], random: Random
) -> None:
    used = drawn(allocations, charges)
    random.shuffle(allocations)
    random.shuffle(charges)
    assert drawn(allocations, charges) == used


@given(_allocations(), CHARGES)
def test_charges_between_two_days_on_which_an_allocation_starts_or_ends_may_be_summed(
    allocations: list[Allocation], charges: list[tuple[int, int]]
) -> None:
    """So a store may sum a million of them before they come here."""
    bounds = sorted({it.start for it in allocations} | {it.end for it in allocations if it.end is not None})
    sums: dict[int, int] = {}
    for at, minor in charges:
        since = max((bound for bound in bounds if bound <= at), default=-1)
        sums[since] = sums.get(since, 0) + minor
    assert drawn(allocations, list(sums.items())) == drawn(allocations, charges)


@given(_allocations(), CHARGES, st.integers(0, 200))
def test_what_returns_after_an_end_changes_nothing_that_was_drawn_before(
    allocations: list[Allocation], charges: list[tuple[int, int]], free: int
) -> None:
    used = drawn(allocations, charges)
    after = []
    for it in allocations:
        back = returnable(it, used[it.id], free, 14)
        free -= back
        after.append(replace(it, returned=it.returned + back))
    assert free >= 0
    assert drawn(after, charges) == used


def test_soonest_end_first_then_grant_payment_credit_then_id() -> None:
    found = [
        allocation("no-end", 10),
        allocation("b", 10, end=9),
        allocation("a", 10, end=9),
        allocation("paid", 10, end=9, source=Source.PAYMENT),
        allocation("credit", 10, end=9, source=Source.CREDIT),
        allocation("soon", 10, end=8, source=Source.CREDIT),
    ]
    order = []
    for spent in range(10, 70, 10):
        used = drawn(found, [(5, spent)])
        order += [id for id, minor in used.items() if minor and id not in order]
    assert order == ["soon", "a", "b", "paid", "credit", "no-end"]


def test_the_day_of_an_end_is_no_more_in_it_and_that_of_a_start_is() -> None:
    found = [allocation("old", 10, 0, 5), allocation("new", 10, 5, 9)]
    assert drawn(found, [(4, 3), (5, 4)]) == {"old": 3, "new": 4}


def test_what_was_held_when_an_allocation_ended_is_still_paid_out_of_it() -> None:
    ended = allocation("a", 100, 0, 5)
    assert drawn([ended], [(2, 30), (7, 50)]) == {"a": 80}
    assert drawn([ended, allocation("b", 20, 6)], [(7, 50)]) == {"a": 30, "b": 20}


def test_what_is_held_does_not_return_and_returns_after_it() -> None:
    ended = allocation("a", 100, 0, 5)
    assert returnable(ended, 30, free=20, now=4) == 0
    assert returnable(ended, 30, free=20, now=5) == 20
    assert returnable(replace(ended, returned=20), 30, free=0, now=6) == 0
    assert returnable(replace(ended, returned=20), 60, free=20, now=7) == 20
    assert returnable(replace(ended, returned=40), 60, free=500, now=8) == 0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        drawn([allocation("a", 10)], [(1, -1)])
    with pytest.raises(ValueError, match="ends before it starts"):
        allocation("a", 10, 5, 5)
    with pytest.raises(ValueError, match="cannot have returned 11"):
        allocation("a", 10, returned=11)
