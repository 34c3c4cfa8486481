"""Late binding: who is taken back out of a centre's own queue, and who is left there."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given

from baygrid.core.placement.demand import Demand, Infra, Target
from baygrid.core.placement.image import Image, Placement, Shape
from baygrid.core.placement.plan import Planner, Queued, Withdrawal
from baygrid.core.placement.policy import CentrePolicy, Policy, QueuePolicy, Quota
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Shares
from baygrid.core.placement.withdrawing import PATIENCE_S, patience_s
from tests.core.region import (
    IMAGES,
    SEEDS,
    centre,
    job,
    nodes,
    offer,
    planned,
    random_queue,
    whose,
)

EAST = Target("east")
LATE = Policy(centres={"east": CentrePolicy(managed=False, max_pending=9)})
DUE = 900_000


def two(*waiting: Placement, west: int = 1, **of_east) -> Image:
    """`east` schedules itself and is the cheaper; `west` is managed. Nodes of eight cpus."""
    east, far = centre("east", p=nodes(2, cpus=8)), centre("west", p=nodes(west, cpus=8))
    offers = [offer("east/p", price=10), offer("west/p", price=30)]
    return Image([replace(east, **of_east), far], offers, waiting)


def waits(name: str, placed_at: int = 0, **more) -> Placement:
    fields = {"count": 1, "job": f"job-{name}", "project": "demo", "placed_at": placed_at, **more}
    return Placement(name, "east", "p", (), 8, 64 * 1024, **fields)


def queued(placement: Placement, due: int = DUE, **demand) -> Queued:
    return Queued(placement, job(placement.job, cpus=8, count=placement.count, **demand), due)


def asked_back(
    image: Image, *waiting: Queued, policy: Policy = LATE, queue: tuple[Demand, ...] = (), now: int = DUE
) -> tuple[Withdrawal, ...]:
    backlog = Backlog(replace(demand, submitted_at=n) for n, demand in enumerate(queue))
    return Planner().plan(image, backlog, policy, Shares(policy), now, waiting).withdrawals


def names(found: tuple[Withdrawal, ...]) -> list[str]:
    return [it.attempt for it in found]


def test_what_is_due_and_could_start_elsewhere_is_asked_back_with_the_reason():
    it = waits("a", placed_at=100_000)
    (found,) = asked_back(two(it), queued(it, 700_000))
    assert (found.attempt, found.job, found.reason.code) == ("a", "job-a", "withdrawn")
    assert found.reason.text == (
        "has waited 800 s for east/p, whose own queue is given 600 s: west/p would start it now"
    )
    assert found.reason.data == {
        "waited_s": 800,
        "patience_s": 600,
        "where": "west/p",
        "offer": "west/p/plain",
    }


def test_no_room_is_counted_twice_and_who_waits_longest_goes_first():
    early, late = waits("z", 1), waits("a", 2)
    assert names(asked_back(two(early, late), queued(late), queued(early))) == ["z"]
    assert names(asked_back(two(early, late, west=2), queued(late), queued(early))) == ["z", "a"]


def test_the_queue_comes_first():
    it = waits("a")
    assert asked_back(two(it), queued(it), queue=(job("b", cpus=8, infra=Infra((Target("west"),))),)) == ()


@pytest.mark.parametrize(
    ("change", "more", "policy"),
    [
        ({}, {"due": DUE + 1}, LATE),  # there is patience left
        ({"started_at": 5}, {}, LATE),  # it has begun
        ({"stopping": True}, {}, LATE),  # it is asked back already
        ({}, {"infra": Infra((EAST,))}, LATE),  # it may be nowhere else
        ({}, {"max_cost": 100}, LATE),  # it could not pay
        ({"count": 2}, {}, LATE),  # a gang needs all its nodes
        ({}, {}, Policy()),  # the centre is managed now
        ({}, {}, replace(LATE, queues={"default": QueuePolicy("default", up_to=100)})),
    ],
    ids=["patience", "begun", "asked", "bound", "poor", "gang", "managed", "closed"],
)
def test_what_is_left_where_it_waits(change, more, policy):
    it = waits("a", **change)
    assert asked_back(two(it), queued(it, **more), policy=policy) == ()


def test_a_silent_centre_is_not_asked():
    it = waits("a")
    assert asked_back(two(it, silent_s=90), queued(it)) == ()
    assert names(asked_back(two(it, open=False), queued(it))) == ["a"]


def test_its_own_quota_is_free_for_it():
    it = waits("a")
    quotas = {"default": QueuePolicy("default", quotas={"cpu": Quota(8_000)})}
    assert names(asked_back(two(it), queued(it), policy=replace(LATE, queues=quotas))) == ["a"]
    other = replace(waits("b"), started_at=0)
    quotas = {"default": QueuePolicy("default", quotas={"cpu": Quota(15_000)})}
    assert asked_back(two(it, other), queued(it), policy=replace(LATE, queues=quotas)) == ()


def test_another_own_queue_is_better_only_where_its_centre_says_that_nobody_waits():
    both = replace(LATE, centres={name: CentrePolicy(False, 9) for name in ("east", "west")})
    it = waits("a")
    image = two(it)
    assert asked_back(image, queued(it), policy=both) == ()
    asked = Shape("p", 1, 8, 64 * 1024, None, 0, 3600)
    smaller, larger = replace(asked, cpus=4), replace(asked, time_s=7200)
    for told, expected in (
        ({asked: 60}, []),
        ({asked: 0}, ["a"]),
        ({smaller: 0}, []),
        ({larger: 0}, ["a"]),
        ({asked: 60, larger: 0}, []),
    ):
        image.set_centre(replace(image.centres["west"], waits=told))
        assert names(asked_back(image, queued(it), policy=both)) == expected
    image.occupy(replace(waits("b"), centre="west"))
    assert asked_back(image, queued(it), policy=both) == ()


def test_patience_is_what_the_operator_says_or_twice_the_wait_that_was_told():
    assert patience_s(CentrePolicy(), None) == PATIENCE_S
    assert patience_s(CentrePolicy(), 60) == PATIENCE_S
    assert patience_s(CentrePolicy(), 7200) == 14_400
    assert patience_s(CentrePolicy(patience_s=30), 7200) == 30


def test_a_job_that_was_withdrawn_goes_elsewhere_at_any_price_and_back_where_there_is_nothing_else():
    again = replace(job("a", cpus=8), waited_at=Target("east", "p"), shape=None)
    (there,) = planned(two(), [again], LATE).assignments
    assert there.centre == "west"
    (back,) = planned(two(west=0), [again], LATE).assignments
    assert back.centre == "east"
    assert "waited too long" not in back.explanation.outcome.text
    fresh, second = planned(two(), [job("b", cpus=8), again], LATE).assignments
    assert (fresh.centre, second.centre) == ("east", "west")


@given(IMAGES, SEEDS)
def test_whoever_is_asked_back_would_start_elsewhere_and_nobody_else_would(image: Image, rng: Random):
    """Nothing is taken twice: once all that were asked back are gone, the very next plan starts every one of
    them at a managed centre, and then finds no room there for any that was left."""
    waiting = []
    for number, demand in enumerate(random_queue(rng)):
        (model, each, _), where = rng.choice(demand.options), ("east", rng.choice("ab"))
        placed = Placement(
            f"waits-{number}", *where, (), demand.cpus, demand.memory_mib, model, each,
            count=demand.nodes, job=demand.job, placed_at=number,
        )  # fmt: skip
        image.occupy(placed)
        waiting.append(Queued(placed, whose(demand, submitted_at=number), rng.choice((0, 0, 0, DUE + 1))))
    found = names(asked_back(image, *waiting))
    due = {it.placement.attempt: it.demand for it in waiting if it.due <= DUE}
    assert set(found) <= set(due)
    again = {name: replace(due[name], waited_at=EAST, shape=None) for name in due}
    for name in found:
        image.release(name)
    made = planned(image, [again[name] for name in found], LATE, now=DUE).assignments
    assert {it.job: it.centre for it in made} == dict.fromkeys((due[name].job for name in found), "west")
    jobs = {demand.job: demand for demand in due.values()}
    for it in made:
        image.occupy(it.placement(f"moved-{it.job}", jobs[it.job], DUE))
    if "east" in image.centres and image.centres["east"].silent_s is None:
        for name in set(due) - set(found):
            assert all(it.centre == "east" for it in planned(image, [again[name]], LATE, now=DUE).assignments)
