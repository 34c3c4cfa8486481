"""Fair shares: usage that fades, bookings, and the order of turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.policy import Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Capacity, Shares, dominant
from baygrid.core.placement.queue.turn import Turns
from tests.core.region import bay, job, whose

HOUR = 3_600_000
ME = ("lab", "vision", "ann")


def test_the_dominant_share_is_the_largest_of_any_axis():
    capacity = Capacity(100, 1000, 8_000, {"H100": 2.0})
    assert dominant(capacity, 10, 0) == 0.1
    assert dominant(capacity, 10, 300) == 0.3
    assert dominant(capacity, 10, 300, {"A100": 4_000}) == 0.5
    assert dominant(capacity, 10, 300, {"A100": 2_000, "H100": 2_000}) == 0.75
    assert dominant(Capacity(0, 0, 0), 1, 1, {"A100": 1}) == 0


def test_the_capacity_is_what_all_nodes_have():
    assert Capacity.of(bay(), Policy()) == Capacity(192, 192 * 8192, 24_000)


def test_usage_fades_to_half_in_a_half_life():
    shares = Shares(Policy(half_life_s=3600))
    shares.charge(ME, 100, 0)
    assert shares.usage(("lab",), 0) == 100
    assert shares.usage(("lab", "vision"), HOUR) == 50
    assert shares.usage(ME, 3 * HOUR) == 12.5
    assert shares.usage(("lab", "speech"), 0) == 0


def test_a_long_time_changes_no_figure():
    shares = Shares(Policy(half_life_s=1))
    for second in range(0, 5_000, 100):
        shares.charge(ME, 1, second * 1000)
    assert shares.usage(ME, 4_900_000) == pytest.approx(1, rel=1e-9)


def test_a_live_attempt_is_booked_to_its_end_and_counts_in_the_end_for_what_it_took():
    shares = Shares(Policy(half_life_s=10**9))
    shares.begin("att", ME, 0.5, 0, HOUR)
    assert shares.usage(ME, 0) == 1800
    shares.begin("att", ME, 0.5, 0, HOUR)
    assert shares.usage(ME, 0) == 1800
    shares.end("att", HOUR // 4)
    assert shares.usage(ME, 0) == pytest.approx(450)
    shares.end("att", HOUR)
    assert shares.usage(ME, 0) == pytest.approx(450)


def order(backlog: Backlog, shares: Shares, policy: Policy, amount: float = 1.0) -> list[str]:
    turns = Turns(backlog, shares, policy, set(backlog.kinds.values()), {})
    found = []
    while (turn := turns.next()) is not None:
        found.append(turn[0])
        turns.charge(amount)
    return found


def test_turns_go_by_priority_then_share_then_deadline_then_age_then_id():
    backlog = Backlog(
        [
            whose(job("late"), user="ann", submitted_at=5),
            whose(job("early"), user="ann", submitted_at=4),
            whose(job("due"), user="ann", submitted_at=9, deadline=100),
            whose(job("bob"), user="bob", submitted_at=9),
            whose(job("high"), user="ann", submitted_at=9, priority=300),
        ]
    )
    assert order(backlog, Shares(Policy()), Policy()) == ["high", "bob", "due", "early", "late"]


def test_who_has_used_less_for_its_weight_comes_first_level_by_level():
    policy = Policy(shares={("a",): 2})
    shares = Shares(policy)
    shares.charge(("a", "p", "u"), 10, 0)
    shares.charge(("b", "p", "u"), 6, 0)
    shares.charge(("b", "q", "u"), 5, 0)
    backlog = Backlog(
        [
            whose(job("b-p"), "b", "p", "u", submitted_at=1),
            whose(job("b-q"), "b", "q", "u", submitted_at=2),
            whose(job("a-1"), "a", "p", "u", submitted_at=3),
            whose(job("a-2"), "a", "p", "v", submitted_at=4),
        ]
    )
    # a has 10 / 2, b 11; in a, v has nothing. Each turn counts for 8: a has 18 / 2 then, and b is next at 11.
    assert order(backlog, shares, policy, 8.0) == ["a-2", "a-1", "b-q", "b-p"]


JOBS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from("pq"),
        st.sampled_from("uv"),
        st.sampled_from((100, 200)),
        st.integers(0, 3),
        st.sampled_from((None, 7, 9)),
        st.integers(1, 3),
    ),
    max_size=25,
)
WEIGHTS = st.dictionaries(
    st.sampled_from([("a",), ("b",), ("a", "p"), ("b", "q"), ("a", "p", "u"), ("a", "q", "v")]),
    st.integers(0, 4),
)


QUARTERS = st.integers(1, 16).map(lambda n: n / 4)


# Quarters, whose sums are exact in whatever order: a tie must be one for both.
@given(JOBS, WEIGHTS, st.lists(st.integers(0, 5), min_size=8, max_size=8), QUARTERS, st.data())
def test_turns_are_those_of_a_plain_second_opinion(rows, weights, used, amount, data):
    policy = Policy(shares=weights)
    shares = Shares(policy)
    for path, amounts in zip([(o, p, u) for o in "ab" for p in "pq" for u in "uv"], used, strict=True):
        shares.charge(path, amounts, 0)
    demands = [
        whose(job(f"j{n:02}", cpus=cpus), *path, priority=priority, submitted_at=at, deadline=deadline)
        for n, (*path, priority, at, deadline, cpus) in enumerate(rows)
    ]
    backlog = Backlog(demands)
    gone = data.draw(st.sets(st.sampled_from([d.job for d in demands]))) if demands else set()
    for name in gone:
        backlog.remove(name)
    back = data.draw(st.sets(st.sampled_from(sorted(gone)))) if gone else set()
    left = [d for d in demands if d.job not in gone or d.job in back]
    for demand in left:
        backlog.add(demand)
    assert len(backlog) == len(left)

    extra: dict[tuple[str, ...], float] = {}

    def standing(path: tuple[str, ...]) -> float:
        weight = weights.get(path, 1)
        return (shares.weighed(path) + extra.get(path, 0)) / weight if weight else float("inf")

    expected, waiting = [], list(left)
    while waiting:
        pool = [d for d in waiting if d.priority == max(d.priority for d in waiting)]
        for depth in (1, 2):
            best = min(standing(d.path[:depth]) for d in pool)
            pool = [d for d in pool if standing(d.path[:depth]) == best]
            heads = {d.path[:depth]: head(pool, depth, d.path[:depth], standing) for d in pool}
            first = min(heads.values(), key=age)
            pool = [d for d in pool if d.path[:depth] == first.path[:depth]]
        best = min(standing(d.path) for d in pool)
        chosen = min((d for d in pool if standing(d.path) == best), key=age)
        expected.append(chosen.job)
        waiting.remove(chosen)
        for depth in (1, 2, 3):
            extra[chosen.path[:depth]] = extra.get(chosen.path[:depth], 0) + amount
    assert order(backlog, shares, policy, amount) == expected


def age(demand) -> tuple[float, int, str]:
    return (float("inf") if demand.deadline is None else demand.deadline, demand.submitted_at, demand.job)


def head(pool, depth, path, standing):
    """Whose turn it would be within one branch."""
    mine = [d for d in pool if d.path[:depth] == path]
    if depth == 3:
        return min(mine, key=age)
    below = {d.path[: depth + 1] for d in mine}
    best = min(map(standing, below))
    return min((head(mine, depth + 1, p, standing) for p in below if standing(p) == best), key=age)


@given(JOBS, st.data())
def test_a_backlog_is_what_was_added_and_not_removed(rows, data):
    backlog, plain = Backlog(), {}
    for n, (*path, priority, at, deadline, cpus) in enumerate(rows):
        name = data.draw(st.sampled_from([f"j{k}" for k in range(8)]))
        if data.draw(st.booleans()):
            demand = whose(job(name, cpus=cpus), *path, priority=priority, submitted_at=at, deadline=deadline)
            backlog.add(demand)
            plain[name] = demand
        else:
            assert backlog.remove(name) == plain.pop(name, None), n
        assert len(backlog) == len(plain)
        assert {d.job: d for d in backlog} == plain
        lines = {backlog.line(name) for name in plain}
        assert sum(len(line) for line in lines) == len(plain)
        walked = [[key[2] for key in backlog.walk(line)] for line in lines]
        assert sorted(name for line in walked for name in line) == sorted(plain)
        assert sum(kind.lines for kind in backlog.kinds.values()) == len(lines)
