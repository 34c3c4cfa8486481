"""Quotas, kept places, advance reservations, preemption, centres with their own scheduler, elastic jobs."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from baygrid.core.placement.demand import Demand, Expected, Prefer
from baygrid.core.placement.explaining.estimate import GUESSED
from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.plan import Plan
from baygrid.core.placement.policy import (
    UNDECLARED,
    CentrePolicy,
    FlavorPolicy,
    Policy,
    QueuePolicy,
    Quota,
    Reserved,
)
from tests.core.region import GIB, bay, centre, explained, job, nodes, offer, planned, whose

HOUR = 3_600_000
H = PRIORITY = {"low": 100, "normal": 200, "high": 300}
OPEN = {"default": QueuePolicy("default", up_to=400)}


def one(count: int = 1, cpus: int = 8) -> Image:
    """One partition of plain nodes."""
    return Image([centre("east", p=nodes(count, cpus=cpus))], [offer("east/p")])


def runs(
    name: str, node: str = "n0", cpus: int = 8, ends_h: float = 1, started_h: float = -1, **more
) -> Placement:
    """A plain attempt on one node of `one()`."""
    started = int(started_h * HOUR)
    return Placement(
        name,
        "east",
        "p",
        (node,),
        cpus,
        GIB,
        job=f"job-{name}",
        placed_at=started,
        started_at=started,
        ends_by=int(ends_h * HOUR),
        **more,
    )


def with_running(image: Image, *running: Placement) -> Image:
    for placement in running:
        image.occupy(placement)
    return image


def where(made: Plan) -> dict[str, str]:
    return {a.job: f"{a.centre}/{a.partition} {'+'.join(a.nodes)}".strip() for a in made.assignments}


def texts(image: Image, demand: Demand, policy: Policy = UNDECLARED, queue: list[Demand] | None = None):
    table = explained(image, demand, policy, queue=queue or [])
    return table.outcome.code, [reason.text for v in table.verdicts for reason in v.obstacles]


def quota_policy(**queues: QueuePolicy) -> Policy:
    return Policy(queues=queues)


# Kept places and backfill


def test_a_blocked_job_keeps_its_place_and_only_what_ends_before_may_pass():
    image = with_running(one(2), runs("a", "n0", ends_h=2))
    queue = [
        job("big", cpus=8, count=2, hours=5),
        job("long", cpus=8, hours=3),
        job("short", cpus=8, hours=2),
    ]
    made = planned(image, queue)
    assert where(made) == {"short": "east/p n1"}
    big, long = made.kept
    assert (big.job, big.start, set(big.nodes)) == ("big", 2 * HOUR, {"n0", "n1"})
    assert (long.job, long.start) == ("long", 7 * HOUR)


def test_what_passes_must_have_stopped_before_its_grace_included():
    image = with_running(one(2), runs("a", "n0", ends_h=2))
    big, short = job("big", cpus=8, count=2, hours=5), job("short", cpus=8, hours=2)
    assert where(planned(image, [big, short])) == {"short": "east/p n1"}
    assert where(planned(image, [big, replace(short, grace_s=30, shape=None)])) == {}


def test_what_fits_beside_a_kept_place_may_stay_longer():
    image = with_running(one(1, cpus=8), runs("a", cpus=6, ends_h=1))
    queue = [job("big", cpus=6, gib=1, hours=5), job("beside", cpus=2, gib=1, hours=9)]
    assert where(planned(image, queue)) == {"beside": "east/p n0"}
    queue[0] = job("big", cpus=7, gib=1, hours=5)
    assert where(planned(image, queue)) == {}
    code, found = texts(image, queue[1], queue=queue)
    assert code == "waits-for-turn"
    text = "the room there is kept for a job whose turn came before"
    assert found == [f"{text}, and this job's time would not be over by then"]


def test_what_is_left_beside_a_kept_place_is_given_once():
    image = with_running(one(1, cpus=8), runs("a", cpus=2, ends_h=1))
    queue = [job("big", cpus=7, gib=1, hours=5)] + [job(name, cpus=1, gib=1, hours=9) for name in "bc"]
    made = planned(image, queue)
    assert where(made) == {"b": "east/p n0"}
    assert [(kept.job, kept.start) for kept in made.kept] == [("big", HOUR), ("c", 6 * HOUR)]


def test_without_reserve_the_small_pass_for_ever_and_without_backfill_nobody_passes():
    image = with_running(one(2), runs("a", "n0"))
    queue = [job("big", cpus=8, count=2), job("small", cpus=8, hours=9)]
    assert where(planned(image, queue)) == {}
    assert where(planned(image, queue, Policy(reserve=0))) == {"small": "east/p n1"}
    queue[1] = job("small", cpus=8)
    assert where(planned(image, queue)) == {"small": "east/p n1"}
    assert where(planned(image, queue, Policy(backfill=False))) == {}


def test_jobs_that_wait_for_nothing_that_will_come_block_nobody_even_without_backfill():
    queue = [job("never", cpus=99), job("fits", cpus=8)]
    assert where(planned(one(), queue, Policy(backfill=False))) == {"fits": "east/p n0"}


# When it may start


def facts(image: Image, demand: Demand, policy: Policy = UNDECLARED, queue: list[Demand] | None = None):
    return explained(image, demand, policy, queue=queue or []).outcome.data


def test_a_waiting_job_is_told_its_position_and_when_it_may_start():
    image = with_running(one(1), runs("a", started_h=0, ends_h=10))
    queue = [whose(job(name, cpus=8, hours=2), user="u") for name in "abc"]
    found = facts(image, queue[0], queue=queue)
    assert (found["position"], found["waiting"], found["counted"]) == (1, 3, True)
    assert (found["start_p10_ms"], found["start_ms"], found["start_p90_ms"]) == (HOUR, 5 * HOUR, 10 * HOUR)
    third = facts(image, queue[2], queue=queue)
    assert third["position"] == 3
    assert (third["start_p10_ms"], third["start_ms"], third["start_p90_ms"]) == (
        1.4 * HOUR,
        7 * HOUR,
        14 * HOUR,
    )
    rows: Any = third["costs"]
    assert (rows[0]["start_ms"], rows[0]["wait_s"]) == (7 * HOUR, 7 * 3600)


def test_what_history_knows_narrows_the_range():
    known = Expected(3600, 7200, 10_800)
    image = with_running(one(1), runs("a", started_h=0, ends_h=10, expected=known))
    found = facts(image, job("b", cpus=8))
    assert (found["start_p10_ms"], found["start_ms"], found["start_p90_ms"]) == (HOUR, 2 * HOUR, 10 * HOUR)


def test_jobs_beyond_those_with_a_kept_place_count_as_work_of_the_region():
    image = with_running(one(1), runs("a", started_h=0, ends_h=1))
    queue = [job(f"{n:02}", cpus=8, hours=1) for n in range(20)]
    found = facts(image, queue[19], Policy(reserve=1), queue)
    assert found["position"] == 20
    assert found["start_p90_ms"] == (1 + 1 + 18) * HOUR


@pytest.mark.parametrize(
    ("deadline_h", "says"),
    [
        (0.5, "; it cannot end by its deadline any more"),
        (3, "; it will probably not end by its deadline"),
        (9, ""),
    ],
)
def test_a_job_that_cannot_meet_its_deadline_is_told(deadline_h, says):
    image = with_running(one(1), runs("a", started_h=0, ends_h=6))
    asked = whose(
        replace(job("b", cpus=8, hours=2), expected=Expected(3600, 3600, 3600)),
        deadline=int(deadline_h * HOUR),
    )
    table = explained(image, asked)
    assert table.outcome.text.endswith(f"may start in 36 min to 6 h ({GUESSED})" + says)
    assert table.outcome.data["deadline_missed"] is (deadline_h < 1)


# Advance reservations


def reserved(start_h: float, *projects: str) -> Policy:
    start, end = int(start_h * HOUR), int((start_h + 4) * HOUR)
    return Policy(reservations=(Reserved("exam", "east", "p", ("n0",), start, end, frozenset(projects)),))


def test_a_reserved_node_takes_what_ends_before_and_the_projects_it_is_for():
    assert where(planned(one(), [job("a", cpus=8, hours=2)], reserved(2))) == {"a": "east/p n0"}
    assert where(planned(one(), [job("a", cpus=8, hours=3)], reserved(2))) == {}
    assert where(planned(one(), [job("a", cpus=8, hours=3)], reserved(2, "demo"))) == {"a": "east/p n0"}
    assert where(planned(one(), [job("a", cpus=8, hours=3)], reserved(-5))) == {"a": "east/p n0"}
    code, found = texts(one(), job("a", hours=3), reserved(2))
    assert code == "waits-for-turn"
    assert found == ["1 nodes with room are reserved (exam) before its time would be over"]


def test_a_kept_place_lies_outside_the_window():
    made = planned(one(), [job("a", cpus=8, hours=3)], reserved(2))
    assert [(k.job, k.start) for k in made.kept] == [("a", 6 * HOUR)]


# Quotas


def demo_queue(nominal: int, borrowing: int | None = 0, lending: int | None = None, cohort: str = ""):
    quotas = {"cpu": Quota(nominal * 1000, borrowing, lending)}
    return lambda name: QueuePolicy(name, cohort or None, quotas, up_to=400)


def test_a_queue_has_no_more_than_its_quota():
    policy = quota_policy(lab=demo_queue(12)("lab"))
    queue = [whose(job(name, cpus=8), queue="lab") for name in "ab"]
    assert where(planned(one(3), queue, policy)) == {"a": "east/p n0"}
    image = with_running(one(3), runs("x", queue="lab"))
    code, found = texts(image, queue[0], policy)
    assert code == "waits-for-quota"
    assert found == ["queue lab has 8 cpu of its 12 cpu: 4 cpu are left, the job asks for 8 cpu"]
    code, found = texts(image, whose(job("c", cpus=7, count=2), queue="lab"), policy)
    assert code == "never-fits"
    assert "queue lab may never have more than 12 cpu at once, the job asks for 14 cpu" in found


def test_other_flavors_and_queues_are_not_limited():
    policy = quota_policy(lab=demo_queue(0)("lab"))
    made = planned(bay(), [whose(job("gpu", "H100:4"), queue="lab"), job("plain")], policy)
    assert set(where(made)) == {"gpu", "plain"}


def test_idle_quota_is_lent_within_the_limits():
    policy = quota_policy(
        lab=demo_queue(8, borrowing=8000, cohort="c")("lab"),
        firm=demo_queue(16, cohort="c", lending=8000)("firm"),
    )
    queue = [whose(job(name, cpus=8), queue="lab") for name in "abc"]
    assert set(where(planned(one(4), queue, policy))) == {"a", "b"}
    less = replace(policy.queues["firm"], quotas={"cpu": Quota(16_000, 0, 4000)})
    policy = replace(policy, queues={**policy.queues, "firm": less})
    assert set(where(planned(one(4), queue, policy))) == {"a"}


def test_nobody_borrows_before_those_within_their_nominal_had_their_turn():
    policy = quota_policy(
        lab=demo_queue(8, borrowing=None, cohort="c")("lab"), firm=demo_queue(8, cohort="c")("firm")
    )
    queue = [whose(job(name, cpus=8), queue="lab") for name in "ab"] + [whose(job("c", cpus=8), queue="firm")]
    assert set(where(planned(one(4), queue, policy))) == {"a", "c"}


def test_quota_is_kept_for_the_first_that_waits_for_it():
    policy = quota_policy(lab=demo_queue(16)("lab"))
    image = with_running(one(4), runs("x", queue="lab", ends_h=2))
    big = whose(job("big", cpus=8, count=2), queue="lab")
    long, short = (whose(job(f"h{h}", cpus=8, hours=h), queue="lab") for h in (3, 2))
    assert where(planned(image, [big, long, short], policy)) == {"h2": "east/p n1"}
    code, found = texts(image, long, policy, [big, long])
    assert code == "waits-for-quota"
    assert "what is left of the cpu quota of queue lab is kept for a job whose turn came before" in found


@pytest.mark.parametrize(
    ("queue", "code"),
    [("nobody", "queue-unknown"), ("firm", "queue-closed"), ("lab", "priority-too-high")],
)
def test_a_queue_lets_in_whom_it_is_for(queue, code):
    firm = QueuePolicy("firm", projects=frozenset({"other"}), up_to=400)
    policy = quota_policy(lab=QueuePolicy("lab"), firm=firm)
    demand = whose(job("a"), queue=queue, priority=300)
    assert not planned(one(), [demand], policy).assignments
    table = explained(one(), demand, policy)
    assert table.outcome.code == "never-fits"
    assert [reason.code for v in table.verdicts for reason in v.obstacles] == [code]


# Preemption


def urgent(name: str = "urgent", **size) -> Demand:
    return whose(job(name, **{"cpus": 8, **size}), priority=H["high"])


def victims(made: Plan) -> list[str]:
    return sorted(p.attempt for p in made.preemptions)


def test_the_cheapest_lower_priority_stops_and_no_more_than_needed():
    image = with_running(
        one(3),
        runs("old", "n0", started_h=-5),
        runs("young", "n1", started_h=-1),
        runs("equal", "n2", started_h=-0.1, priority=H["high"]),
    )
    made = planned(image, [urgent()], Policy(queues=OPEN))
    assert victims(made) == ["young"]
    assert made.preemptions[0].reason.text == "stops for urgent: its priority 200 is lower than 300"
    assert [(k.job, k.nodes, k.start) for k in made.kept] == [("urgent", ("n1",), 0)]
    assert victims(planned(image, [urgent(count=2)], Policy(queues=OPEN))) == ["old", "young"]
    assert victims(planned(image, [urgent(count=3)], Policy(queues=OPEN))) == []
    assert victims(planned(image, [urgent()], Policy(queues=OPEN, preemption=False))) == []
    assert victims(planned(image, [job("normal", cpus=8)], Policy(queues=OPEN))) == []


def test_who_frees_two_nodes_saves_another():
    gang = replace(runs("gang", cpus=4, started_h=-1), nodes=("n0", "n1"), count=2)
    old, young = runs("old", "n0", cpus=4, started_h=-9), runs("young", "n1", cpus=4, started_h=-0.5)
    made = planned(with_running(one(2), gang, old, young), [urgent(cpus=4, count=2)], Policy(queues=OPEN))
    assert victims(made) == ["gang"]


def test_a_checkpointed_attempt_stops_before_a_younger_one():
    image = with_running(
        one(2), runs("old", "n0", started_h=-9, checkpointed=True), runs("young", "n1", started_h=-1)
    )
    assert victims(planned(image, [urgent()], Policy(queues=OPEN))) == ["old"]


def test_the_least_urgent_stops_first():
    image = with_running(one(2), runs("low", "n0", started_h=-9, priority=100), runs("young", "n1"))
    assert victims(planned(image, [urgent()], Policy(queues=OPEN))) == ["low"]


def test_only_those_stop_whose_room_is_needed():
    image = with_running(one(1), runs("a", cpus=4), runs("b", cpus=2, started_h=-0.5), runs("c", cpus=2))
    assert victims(planned(image, [urgent(cpus=4)], Policy(queues=OPEN))) == ["b", "c"]
    assert victims(planned(image, [urgent(cpus=2)], Policy(queues=OPEN))) == ["b"]


def test_a_job_whose_victims_are_stopping_preempts_nobody_else_and_keeps_their_room():
    image = with_running(one(2), runs("a", "n0", stopping=True), runs("b", "n1"))
    made = planned(image, [urgent(), job("small", cpus=8)], Policy(queues=OPEN))
    assert victims(made) == []
    assert [(k.job, k.nodes) for k in made.kept if k.job == "urgent"] == [("urgent", ("n0",))]
    image.release("a")
    made = planned(image, [job("small", cpus=8), urgent()], Policy(queues=OPEN))
    assert where(made) == {"urgent": "east/p n0"}


def test_two_urgent_jobs_do_not_count_on_the_same_victim():
    image = with_running(one(2), runs("a", "n0"), runs("b", "n1"))
    made = planned(image, [urgent("u1"), urgent("u2"), urgent("u3")], Policy(queues=OPEN))
    assert victims(made) == ["a", "b"]
    assert sorted(p.job for p in made.preemptions) == ["u1", "u2"]


COHORT = {
    "lab": demo_queue(8, borrowing=None, cohort="c")("lab"),
    "firm": demo_queue(16, borrowing=None, cohort="c")("firm"),
}


def test_a_queue_gets_its_nominal_back_from_who_borrowed_it():
    image = with_running(
        one(4),
        runs("mine", "n0", queue="lab", started_h=-9),
        runs("borrowed", "n1", queue="lab", started_h=-8),
        runs("theirs", "n2", queue="firm"),
    )
    asked = whose(job("back", cpus=8), queue="firm")
    made = planned(image, [asked], Policy(queues=COHORT))
    assert victims(made) == ["borrowed"]
    assert made.preemptions[0].reason.text == "stops for back: queue lab gives back quota that it borrowed"
    more = whose(job("more", cpus=8), queue="lab")
    assert victims(planned(image, [more], Policy(queues=COHORT))) == []
    image.occupy(replace(image.live["borrowed"], stopping=True))
    assert victims(planned(image, [asked], Policy(queues=COHORT))) == []


def test_a_borrower_does_not_take_what_was_given_back():
    image = with_running(one(4), runs("mine", "n0", queue="lab"), runs("theirs", "n2", queue="firm"))
    queue = [whose(job(f"lab{n}", cpus=8), queue="lab") for n in range(3)]
    queue.append(whose(job("back", cpus=8), queue="firm"))
    assert where(planned(image, queue, Policy(queues=COHORT))) == {"back": "east/p n1"}


# Centres with their own scheduler


def bound_late(most: int | None) -> Policy:
    return Policy(centres={"east": CentrePolicy(managed=False, max_pending=most)})


def test_a_centre_with_its_own_scheduler_gets_at_most_max_pending_and_chooses_nodes():
    waits = replace(runs("w"), nodes=(), started_at=None, ends_by=None)
    made = planned(with_running(one(2), waits), [job(name, cpus=8) for name in "abcd"], bound_late(3))
    assert where(made) == {"a": "east/p", "b": "east/p"}
    assert [a.count for a in made.assignments] == [1, 1]
    code, found = texts(with_running(one(2), waits), job("a", cpus=8), bound_late(1))
    assert code == "waits-for-centre"
    assert found == ["1 attempts wait to start in east/p's own queue, and at most 1 may"]


def test_without_max_pending_it_gets_what_its_sums_hold():
    queue = [job("gang", cpus=8, count=2), job("a", cpus=4), job("b", cpus=5), job("c", cpus=4)]
    image = with_running(one(3), replace(runs("x", cpus=4), nodes=()))
    assert where(planned(image, queue, bound_late(None))) == {"gang": "east/p", "a": "east/p"}
    assert where(planned(image, [job("big", cpus=9)], bound_late(None))) == {}


# Elastic jobs, preferences


def test_an_elastic_job_takes_the_most_nodes_it_can_have_now():
    elastic = replace(job("a", cpus=8, count=4), min_nodes=2, shape=None)
    for free, expected in ((5, 4), (3, 3), (2, 2), (1, None)):
        image = with_running(one(5), *(runs(f"r{n}", f"n{n}") for n in range(5 - free)))
        made = planned(image, [elastic])
        assert [a.count for a in made.assignments] == ([expected] if expected else [])
        if expected:
            assert len(made.assignments[0].nodes) == expected
            assert made.assignments[0].cost_minor == 1440 * expected


def test_an_elastic_job_takes_no_more_nodes_than_it_can_pay_and_its_quota_allows():
    elastic = replace(job("a", cpus=8, count=4, max_cost=1440 * 3), min_nodes=1, shape=None)
    assert [a.count for a in planned(one(5), [elastic]).assignments] == [3]
    policy = quota_policy(default=demo_queue(20)("default"))
    assert [a.count for a in planned(one(5), [elastic], policy).assignments] == [2]
    assert planned(one(5), [replace(elastic, max_cost_minor=1439, shape=None)]).assignments == ()


FAST = Policy(
    flavors={
        "H100": FlavorPolicy(rating=Fraction(3), watts=700),
        "A100": FlavorPolicy(rating=Fraction(1), watts=400),
    },
    centres={
        "hetao": CentrePolicy(mbit_s=10_000, carbon_g_kwh=(100,)),
        "qianhai": CentrePolicy(mbit_s=100, gib_price=Fraction(1), carbon_g_kwh=(500,)),
    },
)


@pytest.mark.parametrize(
    ("prefer", "gib", "expected"),
    [
        (Prefer.COST, 0, "qianhai/gpu"),
        (Prefer.TIME, 0, "qianhai/gpu"),
        (Prefer.TIME, 100, "hetao/gpu"),
        (Prefer.COST, 1000, "hetao/gpu"),
        (Prefer.ENERGY, 0, "hetao/gpu"),
    ],
)
def test_a_job_goes_where_it_prefers(prefer, gib, expected):
    asked = replace(job("a", "H100:4 A100:4"), prefer=prefer, input_bytes=gib << 30, shape=None)
    (placed,) = planned(bay(), [asked], FAST).assignments
    assert f"{placed.centre}/{placed.partition}" == expected
    costs: Any = placed.explanation.outcome.data["costs"]
    rows = {row["subject"]: row for row in costs}
    assert rows["hetao/gpu A100:4"]["run_s"] == 3600
    assert rows["qianhai/gpu H100:4"]["run_s"] == 1200
    assert rows["qianhai/gpu H100:4"]["transfer_s"] == -(-gib * (8 << 30) // 10**8)
    assert rows["hetao/gpu A100:4"]["gco2"] == 160
