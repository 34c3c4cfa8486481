"""What-if: the region's history through the planner, as it is and as it would be."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from baygrid.core.placement.demand import Expected, Infra, Target
from baygrid.core.placement.policy import UNDECLARED, CentrePolicy, FlavorPolicy, Policy
from baygrid.core.placement.policy_file import parse
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.reading import Problem
from baygrid.replay.centre_file import read_centre
from baygrid.replay.likely import with_likely
from baygrid.replay.whatif import Course, Past, Setting, simulate
from baygrid.replay.whatif_report import Window, compare, figures, jain
from tests.core.region import GIB, centre, job, nodes, offer

HOUR = 3_600_000
HUB = centre("hub", gpu=nodes(2, H100=8))
H100 = offer("hub/gpu", "H100", price=10)


def past(name: str, at_h: float = 0, *, hours: float = 1, limit_h: int = 10, count: int = 1, **more) -> Past:
    """A job of 8 H100 on `count` nodes, by default of one hour though it asked for ten."""
    of = {key: more.pop(key) for key in ("checkpoint", "after", "array", "model") if key in more}
    fields = {"project": "demo", "organisation": "uni", "user": "ann", **more}
    base = job(name, "H100:8", count=count, hours=limit_h)
    demand = replace(base, submitted_at=int(at_h * HOUR), **fields, shape=None)
    return Past(demand, hours * 3600, of.pop("model", "H100"), count, **of)


def setting(policy: Policy = UNDECLARED, *extra, offers=(H100,)) -> Setting:
    return Setting((HUB, *extra), tuple(offers), policy)


def course(
    history: list[Past], where: Setting | None = None, ratings: dict[str, float] | None = None
) -> Course:
    return simulate(where or setting(), history, 1000, ratings or {})


def starts(found: Course) -> dict[str, float]:
    """In hours, of the first run of each job."""
    first: dict[str, float] = {}
    for run in sorted(found.runs, key=lambda run: run.start):
        first.setdefault(run.job, run.start / HOUR)
    return first


def test_jobs_take_turns_and_run_as_long_as_they_ran():
    found = course([past("a"), past("b", hours=2), past("c"), past("d", 5)])
    assert starts(found) == {"a": 0, "b": 0, "c": 1, "d": 5}
    assert found.waits == {"a": 0, "b": 0, "c": HOUR, "d": 0}
    assert {run.job: (run.end - run.start) / HOUR for run in found.runs} == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert found.never == {}


def test_a_gang_waits_until_all_its_nodes_are_free():
    found = course([past("a", hours=2), past("gang", 0.5, count=2)])
    assert starts(found) == {"a": 0, "gang": 2}


def test_the_same_history_has_the_same_course():
    history = [past(f"j{n}", n % 7 / 3, hours=1 + n % 5, user=f"u{n % 3}") for n in range(40)]
    assert course(history) == course(history)


def test_what_cannot_run_is_told_with_its_reason():
    found = course([past("a"), past("wide", count=3), past("next", after=("wide",))])
    assert list(found.never) == ["wide", "next"]
    assert "ask for nodes: 2" in found.never["wide"]
    assert found.never["next"] == "a job that must end before it never ran"


def test_a_job_waits_for_those_that_must_end_before_it():
    found = course([past("a", hours=3), past("b", after=("a",)), past("c", after=("gone",))])
    assert starts(found) == {"a": 0, "b": 3, "c": 0}
    assert found.waits["b"] == 0


def test_elements_of_an_array_come_a_few_at_a_time():
    found = course([past(f"e{n}", array=("a", 1)) for n in range(3)])
    assert starts(found) == {"e0": 0, "e1": 1, "e2": 2}
    assert set(found.waits.values()) == {0}
    stuck = course([past("e0", count=3, array=("a", 1)), past("e1", array=("a", 1))])
    assert stuck.never["e1"] == "earlier elements of its array never ran"


def test_a_preempted_job_with_a_checkpoint_does_the_rest_of_its_work():
    policy = parse({"queues": {"fast": {"up_to": "urgent"}}})
    urgent: dict[str, Any] = {"queue": "fast", "priority": 400, "hours": 1}
    for checkpoint, end in ((True, 5), (False, 6)):
        history = [past("a", hours=4, checkpoint=checkpoint, count=2), past("now", 1, count=2, **urgent)]
        found = course(history, setting(policy))
        assert found.preemptions == 1
        stops = 30 / 3600  # the grace of the one that makes room
        first, second, again = sorted(found.runs, key=lambda run: run.start)
        assert (first.job, first.ended, second.job, again.job) == ("a", False, "now", "a")
        assert again.end / HOUR == pytest.approx(end + (0 if checkpoint else stops), abs=0.001)


def test_the_planner_expects_what_it_has_seen(monkeypatch: pytest.MonkeyPatch):
    seen: dict[str, object] = {}
    add = Backlog.add
    monkeypatch.setattr(
        Backlog,
        "add",
        lambda self, demand: (seen.update({demand.job: demand.expected}), add(self, demand))[1],
    )
    course([past(f"j{n}", n * 2, hours=1) for n in range(20)])
    assert seen["j0"] is None
    expected = seen["j19"]
    assert isinstance(expected, Expected)
    assert expected.p50 == pytest.approx(3600, rel=0.05)


def test_another_accelerator_takes_as_much_longer_as_the_ratings_say():
    slow = replace(
        HUB, name="slow", partitions=(replace(HUB.partitions[0], centre="slow", nodes=nodes(1, A100=8)),)
    )
    either = replace(past("a").demand, accelerators=(("A100", 8), ("H100", 8)), ordered=True, shape=None)
    where = setting(UNDECLARED, slow, offers=(H100, offer("slow/gpu", "A100", price=1)))
    (run,) = course([Past(either, 3600, "H100")], where, {"H100": 1.0, "A100": 0.5}).runs
    assert (run.placement.accelerator, (run.end - run.start) / HOUR) == ("A100", 2)


def test_a_job_is_ended_at_its_time_limit():
    (run,) = course([past("a", hours=50, limit_h=2)]).runs
    assert run.end == 2 * HOUR


def test_a_centre_with_its_own_scheduler_queues_for_itself():
    policy = Policy(centres={"hub": CentrePolicy(managed=False)})
    found = course([past("a"), past("b"), past("c", 0.5)], setting(policy))
    assert starts(found) == {"a": 0, "b": 0, "c": 1}


def test_what_waits_too_long_in_a_centres_own_queue_starts_elsewhere():
    """`hub` is the cheaper and full for nine hours; `far` is free after one."""
    far = centre("far", gpu=nodes(1, H100=8))
    offers = (H100, offer("far/gpu", "H100", price=20))
    full = [past(name, hours=9, infra=Infra((Target("hub"),))) for name in "ab"]
    history = [*full, past("c", infra=Infra((Target("far"),))), past("d", 0.1)]
    for patience, expected in ((600, 1), (7200, 2.1), (50_000, 9)):
        late = CentrePolicy(managed=False, max_pending=2, patience_s=patience)
        found = course(history, setting(Policy(centres={"hub": late}), far, offers=offers))
        assert starts(found)["d"] == pytest.approx(expected, abs=0.01)
        assert found.waits["d"] == pytest.approx((expected - 0.1) * HOUR, abs=0.01 * HOUR)


def test_a_centre_with_its_own_scheduler_lets_jobs_share_a_device():
    policy = Policy(centres={"small": CentrePolicy(managed=False, max_pending=9)})
    small = centre("small", gpu=nodes(1, H100=1))
    base = past("a").demand

    def part(name: str, share: int) -> Past:
        asked = replace(base, job=name, accelerators=(("H100", 1),), shares=(share,), cpus=1, shape=None)
        return Past(asked, 3600, "H100")

    where = Setting((small,), (offer("small/gpu", "H100", price=10),), policy)
    found = course([part("a", 500), part("b", 500), part("c", 400), part("d", 600), part("e", 1000)], where)
    assert starts(found) == {"a": 0, "b": 0, "c": 1, "d": 1, "e": 2}


def test_shares_are_those_of_the_setting():
    history = [past(f"{p}{n}", project=p) for n in range(60) for p in ("one", "two")]
    equal = starts(course(history))
    policy = Policy(shares={("uni", "one"): 3, ("uni", "two"): 1}, half_life_s=366 * 86_400)
    weighed = starts(course(history, setting(policy)))
    for found, low, high in ((equal, 18, 22), (weighed, 27, 33)):
        early = sum(1 for job, start in found.items() if job.startswith("one") and start < 20)
        assert low <= early <= high


def test_the_report_tells_both_settings():
    history = [past(f"j{n}", project="one" if n % 2 else "two") for n in range(8)]
    far = centre("far", gpu=nodes(2, H100=8))
    after = setting(UNDECLARED, far, offers=(H100, offer("far/gpu", "H100", price=20)))
    told = compare(setting(), after, history, 4 * HOUR)
    before, then = told["before"], told["after"]
    assert (told["jobs"], told["step_s"]) == (8, 1.44)
    assert (before["wait_mean_s"], then["wait_mean_s"]) == (1.5 * 3600, 0.5 * 3600)
    assert (before["wait_p50_s"], before["wait_p99_s"]) == (3600, 3 * 3600)
    assert before["utilisation"] == {"hub": {"H100": 1.0, "cpu": 0.25}}
    assert then["utilisation"]["hub"]["H100"] == then["utilisation"]["far"]["H100"] == 0.5
    # 8 H100, 8 cpus and 64 GiB for an hour: 10 x (8 + 0.8 + 0.64)
    assert before["cost"] == {
        "total": {"CNY": 75_520},
        "projects": {"one": {"CNY": 37_760}, "two": {"CNY": 37_760}},
    }
    assert then["cost"]["total"] == {"CNY": 37_760 + 75_520}
    assert before["fairness"] == {
        "jain": 1.0,
        "projects": {"one": {"had": 0.5, "entitled": 0.5}, "two": {"had": 0.5, "entitled": 0.5}},
    }


def test_entitlement_follows_the_shares_of_those_who_have_jobs():
    policy = parse({"shares": {"uni/one": 3, "firm": 2, "absent": 7}})
    history = [
        past("a", project="one"),
        past("b", project="two"),
        past("c", organisation="firm", project="x"),
    ]
    where = setting(policy)
    told = figures(where, history, course(history, where), Window(0, 2 * HOUR))
    entitled = {name: row["entitled"] for name, row in told["fairness"]["projects"].items()}
    assert entitled == {"one": 0.25, "two": 0.083, "x": 0.667}


@pytest.mark.parametrize(
    ("values", "index"), [([1, 1, 1], 1.0), ([1, 0, 0, 0], 0.25), ([2, 1], 0.9), ([0, 0], None)]
)
def test_jains_index(values: list[float], index: float | None):
    assert jain(values) == index


def test_lengths_that_nobody_saw_are_drawn_from_like_jobs():
    known = [past("a", hours=2), past("b", hours=2), past("c", hours=5, user="bob", count=2)]
    unknown = [
        past("x", hours=0),
        past("y", hours=0, user="bob"),
        past("z", hours=0, user="eve"),
        past("r", hours=3),
    ]
    strange = past("s", hours=0, organisation="firm", project="other")
    predicted, left = with_likely(known, [*unknown, strange], seed=1)
    hours = {it.demand.job: it.lasts_s / 3600 for it in predicted}
    assert (hours["x"], hours["y"], hours["r"]) == (2, 5, 3)  # r has run for three hours already
    assert hours["z"] in (2, 5)
    assert left == [strange]
    assert with_likely(known, [*unknown, strange], seed=1) == (predicted, left)


CENTRE = {
    "name": "new",
    "jurisdiction": "HK",
    "partitions": [
        {"name": "gpu", "time_limit": "2d",
         "nodes": [{"count": 2, "cpus": 64, "memory": "512GiB", "accelerators": {"H100": 8}},
                   {"cpus": 8, "memory": 16}]}
    ],
    "offers": [{"partition": "gpu", "accelerator": "H100", "currency": "CNY", "accelerator_hour": "12.5",
                "cpu_hour": 0.1}],
}  # fmt: skip


def test_a_centre_that_is_only_imagined():
    found: list[Problem] = []
    view, (only,) = read_centre(CENTRE, "centres[0]", found)
    assert found == []
    (partition,) = view.partitions
    assert (view.name, view.jurisdiction, view.open, view.silent_s) == ("new", "HK", True, None)
    assert partition.time_limit_s == 2 * 86_400
    assert [(n.name, n.cpus, n.memory_mib, dict(n.accelerators)) for n in partition.nodes] == [
        ("n0", 64, 512 * GIB, {"H100": 8}),
        ("n1", 64, 512 * GIB, {"H100": 8}),
        ("n2", 8, 16 * GIB, {}),
    ]
    assert (only.id, only.rate.accelerator_hour, only.rate.cpu_hour) == (
        "new-gpu-H100",
        Fraction(25, 2),
        Fraction(1, 10),
    )


def test_all_mistakes_of_an_imagined_centre_are_told():
    found: list[Problem] = []
    read_centre(
        {"name": "a b", "partitions": [{"name": "gpu", "nodes": [{"cpus": 0, "memory": "lots"}]}],
         "offers": [{"partition": "cpu", "accelerator": "H100", "currency": "EUR"}], "price": 1},
        "centres[0]",
        found,
    )  # fmt: skip
    assert [mistake.path for mistake in found] == [
        "centres[0]", "centres[0].name", "centres[0].partitions[0].nodes[0].cpus",
        "centres[0].partitions[0].nodes[0].memory", "centres[0].offers[0].partition",
        "centres[0].offers[0].accelerator_hour", "centres[0].offers[0].currency", "centres[0].jurisdiction",
    ]  # fmt: skip


def test_ratings_of_the_changed_policy_are_used_in_both():
    faster = Policy(flavors={"H100": FlavorPolicy(Fraction(2))})
    told = compare(setting(), setting(faster), [past("a")], HOUR)
    assert told["before"]["cost"] == told["after"]["cost"]
