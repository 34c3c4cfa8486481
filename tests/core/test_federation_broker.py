"""The broker's queue: its order, what it keeps, and what it learns only from reports."""

from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.federation.broker import (
    LONGEST_PASSING,
    Broker,
    Job,
    by_arrival,
    short_first,
)
from baygrid.core.placement.federation.history import SHARE_OF_LIMIT, History

TIMES = st.floats(0, 1e7)


def job(number: int, width: int = 1, user: str = "u", limit: float = 1000) -> Job:
    return Job(number, user, width, limit, float(number))


def sent(broker: Broker) -> list[tuple[int, int]]:
    return [(each.id, site) for each, site in broker.send()]


def test_what_has_ended_is_free_only_when_the_report_is_here() -> None:
    broker = Broker([1], 300, by_arrival)
    first, second = job(1), job(2)
    broker.submit(first)
    broker.submit(second)
    assert sent(broker) == [(1, 0)]
    assert sent(broker) == []  # whatever the site does meanwhile
    broker.ended(first, 0, run=100_000)
    assert sent(broker) == [(2, 0)]


def test_a_wide_job_keeps_a_site_until_it_has_room_and_others_pass_elsewhere() -> None:
    broker = Broker([4, 2], 0, by_arrival)
    old = [job(0, width=3), job(1, width=2)]
    for each in [*old, job(2, width=4), job(3), job(4)]:
        broker.submit(each)
    assert sent(broker) == [(0, 0), (1, 1)]  # 3 and 4 would fit on site 0, which is kept for 2
    broker.ended(old[1], 1, run=10)
    assert sent(broker) == [(3, 1), (4, 1)]
    broker.ended(old[0], 0, run=10)
    assert sent(broker) == [(2, 0)]


def test_a_job_that_is_too_wide_for_all_does_not_block_the_others() -> None:
    broker = Broker([2], 0, by_arrival)
    broker.submit(job(0, width=3))
    broker.submit(job(1))
    assert sent(broker) == [(1, 0)]
    assert len(broker) == 1


def test_short_jobs_pass_long_ones_once_it_is_known_which_they_are() -> None:
    broker = Broker([2], 0, short_first)
    known = [job(0, user="quick"), job(1, user="slow")]
    for each in known:
        broker.submit(each)
    assert len(sent(broker)) == 2
    broker.submit(job(2, user="slow"))
    broker.submit(job(3, user="quick"))
    for _ in range(30):
        broker.history.ended("quick", 1000, 5)
        broker.history.ended("slow", 1000, 900)
    broker.submit(job(4, user="slow"))
    broker.submit(job(5, user="quick"))
    broker.ended(known[0], 0, run=5)
    broker.ended(known[1], 0, run=900)
    assert sent(broker) == [(5, 0), (2, 0)]


@given(TIMES, TIMES, TIMES, TIMES)
def test_nobody_is_passed_by_who_came_much_later(
    early: float, late: float, expected: float, other: float
) -> None:
    early, late = sorted((early, late))
    first, then = Job(1, "a", 1, 1, early), Job(2, "b", 1, 1, late)
    passed = short_first(then, other) < short_first(first, expected)
    assert not passed or late - early <= LONGEST_PASSING


def test_nothing_known_is_a_share_of_the_limit() -> None:
    assert History().expected("new", 1000) == SHARE_OF_LIMIT * 1000


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([100.0, 200.0]), st.floats(0, 200)), max_size=40
    )
)
def test_what_is_expected_lies_within_what_was_seen(seen: list[tuple[str, float, float]]) -> None:
    history = History()
    for user, limit, run in seen:
        history.ended(user, limit, run)
    low = min([run for _, _, run in seen], default=1e9)
    high = max([run for _, _, run in seen], default=0)
    guess = SHARE_OF_LIMIT * 100
    assert min(low, guess) - 1e-6 <= history.expected("a", 100.0) <= max(high, guess) + 1e-6


def test_one_user_who_changes_is_followed() -> None:
    history = History()
    for run in [1000.0] * 50 + [10.0] * 200:
        history.ended("u", 5000, run)
    assert history.expected("u", 5000) < 40
