"""What a broker believes of its sites, and what it chooses by that, against a plain second opinion."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.federation.view import View

SITES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12), st.integers(1, 3)), min_size=1, max_size=6)


def view(*sites: tuple[int, int], stale: float = 300, run: float | None = None) -> View:
    """Sites of (capacity, load)."""
    it = View([capacity for capacity, _ in sites], stale)
    for number, (_, load) in enumerate(sites):
        it.sent(number, load)
    if run is not None:
        it.pace(run)
    return it


@given(SITES, st.integers(1, 8), st.sampled_from([None, 300, 600, 3000]), st.booleans())
def test_the_choice_is_that_of_a_plain_second_opinion(
    sites: list[tuple[int, int, int]], width: int, run: float | None, green: bool
) -> None:
    intensity = [float(each) for _, _, each in sites] if green else [0.0] * len(sites)
    it = view(*((capacity, load) for capacity, load, _ in sites), run=run)
    spare = [0 if run is None else int(450 / run * capacity) for capacity, _, _ in sites]
    room = {number: capacity - load - width for number, (capacity, load, _) in enumerate(sites)}
    share = {number: left / max(1, sites[number][0]) for number, left in room.items()}
    now = [number for number in room if sites[number][0] >= width and room[number] >= 0]
    soon = [number for number in room if sites[number][0] >= width and room[number] + spare[number] >= 0]
    expected = (
        min(now, key=lambda number: (intensity[number], -share[number]))
        if now
        else max(soon, key=lambda number: share[number], default=None)
    )
    assert it.choose(width, np.array(intensity) if green else None) == expected


def test_among_idle_sites_the_cleanest_then_the_emptiest() -> None:
    it = view((4, 3), (4, 0), (4, 2))
    assert it.choose(1) == 1
    assert it.choose(1, np.array([20.0, 400.0, 20.0])) == 2


def test_a_clean_site_that_is_busy_is_not_waited_for() -> None:
    it = view((4, 4), (4, 0), run=100)
    assert it.choose(1, np.array([20.0, 400.0])) == 1


def test_more_is_sent_where_more_will_have_ended_before_the_next_word() -> None:
    slow, fast = view((10, 10), stale=300, run=60_000), view((10, 10), stale=300, run=600)
    assert slow.choose(1) is None
    assert fast.choose(1) == 0
    assert view((10, 10), stale=0, run=600).choose(1) is None


def test_a_site_may_be_kept_for_another_job() -> None:
    assert view((4, 0), (4, 3)).choose(1, without=0) == 1


def test_the_nearest_to_having_room_is_wide_enough() -> None:
    assert view((2, 0), (8, 6), (8, 5)).nearest(4) == 2
    assert view((2, 0)).nearest(4) is None
