"""Whatever the gangs and the order: whole or not at all, within the nodes, to the end, the same each time."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.placement.rotation.first_come import first_come
from baygrid.core.placement.rotation.rotate import ORDERS, Course, Gangs, rotate

NODES, WIDTH = 3, 8
gang = st.tuples(st.integers(0, 5_000), st.integers(1, 40_000), st.integers(1, NODES * WIDTH))
queues = st.lists(gang, min_size=1, max_size=25)
names = st.sampled_from(("fifo", *ORDERS))


def made(queue) -> Gangs:
    submit, work, gpus = zip(*sorted(queue, key=lambda one: one[0]), strict=True)
    return Gangs(
        np.array(submit, float), np.array(work, float), np.array(gpus, np.int64), np.zeros(len(gpus))
    )


def course(name: str, gangs: Gangs, nodes: int = NODES, width: int = WIDTH) -> Course:
    return first_come(gangs, nodes, width) if name == "fifo" else rotate(gangs, ORDERS[name], nodes, width)


def seated(sizes: list[int], empty: list[int], width: int = WIDTH) -> bool:
    """Whether these gangs can sit on these nodes at once: by trial of every seat."""
    if not sizes:
        return True
    whole, rest = divmod(sizes[0], width)
    full = [node for node, free in enumerate(empty) if free == width]
    if len(full) < whole:
        return False
    left = list(empty)
    for node in full[:whole]:
        left[node] = 0
    if not rest:
        return seated(sizes[1:], left, width)
    for free in {free for free in left if free >= rest}:
        node = left.index(free)
        if seated(sizes[1:], [*left[:node], free - rest, *left[node + 1 :]], width):
            return True
    return False


@given(queues, names)
@settings(max_examples=150, deadline=None)
def test_every_gang_gets_its_whole_service_and_no_more(queue, name):
    gangs = made(queue)
    its = course(name, gangs)
    assert np.isfinite(its.end).all()
    np.testing.assert_allclose(its.served(), gangs.work, rtol=1e-9, atol=1e-4)
    assert (its.first >= gangs.submit).all()
    assert (its.end >= its.first + gangs.work - 1e-4).all()


@given(queues, st.sampled_from(("fifo", *(name for name in ORDERS if name != "tiresias"))))
@settings(max_examples=100, deadline=None)
def test_at_no_time_more_gangs_run_than_can_sit_on_the_nodes(queue, name):
    gangs = made(queue)
    turns = course(name, gangs).turns
    for moment in {(since + until) / 2 for _, since, until in turns.tolist() if until - since > 1e-3}:
        running = [int(gang) for gang, since, until in turns.tolist() if since < moment < until]
        assert len(running) == len(set(running))
        assert seated(sorted((int(gangs.gpus[one]) for one in running), reverse=True), [WIDTH] * NODES)


@given(queues)
@settings(max_examples=50, deadline=None)
def test_tiresias_never_counts_more_gpus_than_there_are(queue):
    gangs = made(queue)
    turns = course("tiresias", gangs).turns
    for moment in (turns[:, 1] + turns[:, 2]) / 2:
        running = turns[(turns[:, 1] < moment) & (moment < turns[:, 2]), 0].astype(int)
        assert gangs.gpus[running].sum() <= NODES * WIDTH


@given(queues, names)
@settings(max_examples=50, deadline=None)
def test_the_same_gangs_take_the_same_course(queue, name):
    gangs = made(queue)
    one, other = course(name, gangs), course(name, gangs)
    assert (one.end == other.end).all()
    assert (one.turns == other.turns).all()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_srsf_on_one_gpu_is_as_good_as_the_best_of_all_schedules(queue):
    gangs = made([(submit, work, 1) for submit, work in queue])
    for name in ("srsf", "srtf", "baygrid-informed"):
        assert course(name, gangs, 1, 1).end.sum() == pytest.approx(best(queue))


def best(queue: list[tuple[int, int]]) -> float:
    """Of all priority lists, preempting: one of them is optimal on one machine."""
    totals = []
    for order in permutations(range(len(queue))):
        left = [work for _, work in queue]
        now = total = 0
        while any(left):
            ready = [one for one in order if left[one] and queue[one][0] <= now]
            now += 1
            if ready:
                left[ready[0]] -= 1
                total += now if not left[ready[0]] else 0
        totals.append(total)
    return min(totals)


@given(queues)
@settings(max_examples=50, deadline=None)
def test_a_blind_order_sees_no_duration_of_a_gang_that_runs(queue):
    """How long the last gang to end goes on changes nothing of what was done up to then."""
    gangs = made(queue)
    last = int(np.argmax(course("baygrid", gangs).end))
    work = gangs.work.copy()
    work[last] *= 3
    longer = Gangs(gangs.submit, work, gangs.gpus, gangs.toll)
    others = np.arange(len(work)) != last
    assert (course("baygrid", gangs).end[others] == course("baygrid", longer).end[others]).all()


def test_first_come_waits_for_the_head_even_where_others_would_fit():
    gangs = made([(0, 100, 20), (1, 50, 8), (2, 10, 1)])
    its = first_come(gangs, NODES, WIDTH)
    assert its.first.tolist() == [0, 100, 100]


def test_gangs_are_laid_out_again_where_that_lets_one_more_in():
    """4, 3 and 5 GPUs in this order leave 1 and 3 on two nodes of 8; 4 + 4 and 5 + 3 fill both."""
    gangs = made([(0, 100, 4), (0, 200, 3), (0, 300, 5), (0, 1_000, 4)])
    assert rotate(gangs, ORDERS["baygrid-informed"], 2, 8).first.tolist() == [0, 0, 0, 0]
    assert rotate(gangs, ORDERS["srsf"], 2, 8).first.tolist() == [0, 0, 0, 100]


@pytest.mark.parametrize("name", ["fifo", *ORDERS])
def test_a_gang_wider_than_the_cluster_is_refused(name):
    with pytest.raises(ValueError, match="does not fit"):
        course(name, made([(0, 10, 17)]), 2, 8)
