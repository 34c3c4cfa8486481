"""Parts of accelerators: several jobs on one device, and never more than all of it."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.policy import Policy, QueuePolicy
from baygrid.core.placement.room.nodes import NodeTable
from tests.core.region import centre, explained, job, nodes, offer, planned

URGENT = 400
OPEN = {"default": QueuePolicy("default", up_to=400)}


def asks(name: str, thousandths: int, **more) -> Demand:
    """1000 or more: whole devices."""
    if thousandths >= 1000:
        return job(name, f"H100:{thousandths // 1000}", **{"cpus": 1, "gib": 1, **more})
    return replace(asks(name, 1000, **more), shares=(thousandths,), shape=None)


def region(count: int = 1, devices: int = 1) -> Image:
    return Image([centre("east", p=nodes(count, H100=devices))], [offer("east/p", "H100", 100)])


def occupied(image: Image, queue: list[Demand], now: int = 0) -> dict[str, Placement]:
    """What the plan for the queue placed, now running."""
    by_job = {demand.job: demand for demand in queue}
    found = {}
    for it in planned(image, queue, Policy(reserve=0), now).assignments:
        demand = by_job[it.job]
        placement = replace(it.placement(it.job, demand, now), priority=100, started_at=now)
        image.occupy(placement)
        found[it.job] = placement
    return found


def assert_within(image: Image) -> None:
    """A second count, of what runs: no device is over, and on no node are there too many."""
    parts: Counter[tuple[str, int]] = Counter()
    whole: Counter[str] = Counter()
    for it in image.usage:
        if it.accelerator_share == 1000:
            whole.update(dict.fromkeys(it.nodes, it.accelerators))
        else:
            assert len(it.accelerator_slots) == len(it.nodes)
            for device in zip(it.nodes, it.accelerator_slots, strict=True):
                parts[device] += it.accelerator_share
    assert all(used <= 1000 for used in parts.values())
    whole.update(node for node, _ in parts)
    for node in image.pools["east", "p"].partition.nodes:
        assert whole[node.name] <= node.accelerators["H100"]


SIZES = st.sampled_from((1, 100, 250, 300, 333, 500, 600, 999, 1000, 2000))
WAVES = st.lists(
    st.lists(st.tuples(SIZES, st.integers(1, 2)), min_size=1, max_size=6), min_size=1, max_size=5
)


@given(WAVES, st.integers(1, 3), st.integers(1, 3), st.integers(0, 1 << 32).map(Random))
def test_no_device_is_ever_over_and_what_ended_is_free_again(waves, count: int, devices: int, rng: Random):
    image = region(count, devices)
    empty = image.nodes().accelerators.copy()
    for number, wave in enumerate(waves):
        queue = [asks(f"{number}-{n}", size, count=many) for n, (size, many) in enumerate(wave)]
        placed = occupied(image, queue)
        assert_within(image)
        table = image.nodes()
        again = NodeTable({("east", "p"): image.pools["east", "p"].partition.nodes}, frozenset())
        for it in rng.sample(image.usage, len(image.usage)):
            again.occupy(it)
        assert (again.accelerators == table.accelerators).all(), "a server that starts anew sees the same"
        assert (again.parts.left == table.parts.left).all()
        waits = [demand for demand in queue if demand.job not in placed]
        assert not occupied(image, waits), "whoever has no room now had none in the plan"
        for it in rng.sample(image.usage, rng.randint(0, len(image.usage))):
            image.release(it.attempt)
    for it in image.usage:
        image.release(it.attempt)
    assert (image.nodes().accelerators == empty).all()
    assert not image.nodes().parts.left.any()


def test_two_halves_share_a_device_and_more_waits():
    image = region()
    placed = occupied(image, [asks("a", 500), asks("b", 500), asks("c", 600)])
    assert {name: it.accelerator_slots for name, it in placed.items()} == {"a": (0,), "b": (0,)}
    (verdict,) = explained(image, asks("c", 600)).verdicts
    assert verdict.subject == "east/p H100:0.6"
    assert [reason.code for reason in verdict.obstacles] == ["busy"]


def test_a_part_goes_to_the_fullest_device_that_has_room_for_it():
    image = region(2, 2)
    occupied(image, [asks("a", 600), asks("b", 700)])
    assert [it.accelerator_slots for it in image.usage] == [(0,), (1,)], "on one node, two devices"
    placed = occupied(image, [asks("c", 300), asks("d", 1000), asks("e", 300)])
    assert placed["c"].accelerator_slots == (1,), "beside the 0.7"
    assert placed["e"].accelerator_slots == (0,)
    assert placed["d"].nodes != placed["c"].nodes, "there is no whole device left on the first node"


def test_a_whole_job_waits_until_the_last_part_has_ended():
    image = region()
    occupied(image, [asks("short", 300, hours=1), asks("long", 300, hours=5)])
    made = planned(
        image,
        [asks("whole", 1000), asks("brief", 400), asks("late", 400, hours=9)],
        Policy(reserve=1, preemption=False),
    )
    assert [(kept.job, kept.start) for kept in made.kept] == [("whole", 5 * 3_600_000)]
    assert [it.job for it in made.assignments] == ["brief"], "late would be in the way of whole"


def test_a_whole_job_stops_all_who_share_a_device_or_none():
    image = region(1, 2)
    occupied(image, [asks("a", 500), asks("b", 500), asks("c", 1000)])
    image.release("c")
    occupied(image, [asks("d", 900)])
    preempted = planned(
        image, [replace(asks("whole", 1000), priority=URGENT)], Policy(queues=OPEN)
    ).preemptions
    assert sorted(it.attempt for it in preempted) == ["a", "b"], "one of them alone frees nothing"
    preempted = planned(
        image, [replace(asks("whole", 2000), priority=URGENT)], Policy(queues=OPEN)
    ).preemptions
    assert sorted(it.attempt for it in preempted) == ["a", "b", "d"]
    preempted = planned(image, [replace(asks("part", 400), priority=URGENT)], Policy(queues=OPEN)).preemptions
    assert len(preempted) == 1


def test_of_a_partition_known_by_its_sums_a_part_takes_a_whole_device():
    table = NodeTable({("east", "p"): nodes(1, H100=2)}, frozenset({"east"}))
    had = Placement("a", "east", "p", (), 1, 1, "H100", 1, accelerator_share=500)
    table.occupy(had)
    assert table.accelerators.tolist() == [[1]]
    table.release(had)
    assert table.accelerators.tolist() == [[2]]


@pytest.mark.parametrize(("thousandths", "cost"), [(1000, 11_100), (500, 6_100), (1, 1_110)])
def test_a_part_costs_its_part(thousandths: int, cost: int):
    """100 CNY an hour of a device, 10 of a cpu, 1 of a GiB."""
    image = region()
    (placed,) = planned(image, [asks("a", thousandths)]).assignments
    assert placed.cost_minor == cost
    assert placed.accelerator_share == thousandths


def test_demands_of_another_part_have_another_shape():
    assert asks("a", 500).shape != asks("b", 1000).shape
    assert asks("a", 500).shape == asks("b", 500).shape
