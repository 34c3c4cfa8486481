"""What centres with queues of their own are asked, and what their answers say of other jobs."""

import json
from dataclasses import replace
from typing import Any

from baygrid.core.placement.demand import Prefer
from baygrid.core.placement.image import Image, Shape
from baygrid.core.placement.inquiring import LOOKED_AT, MOST
from baygrid.core.placement.judging.waits import at_most, expected
from baygrid.core.placement.plan import Planner
from baygrid.core.placement.policy import CentrePolicy, Policy
from baygrid.core.placement.queue.backlog import Backlog
from baygrid.core.placement.queue.share import Shares
from tests.core.region import centre, job, nodes, offer, planned

OWN = Policy(centres={"slurm": CentrePolicy(managed=False, max_pending=9)})
ASKED = Shape("gpu", 2, 8, 64 * 1024, "H100", 4, 3600)


def region(**of_slurm) -> Image:
    """`slurm` schedules itself; `local` is managed and dearer."""
    slurm = centre("slurm", gpu=nodes(4, H100=8))
    slurm = replace(slurm, **{"capabilities": frozenset({"gang", "accelerators", "estimate"}), **of_slurm})
    local = centre("local", gpu=nodes(4, H100=8))
    return Image([slurm, local], [offer("slurm/gpu", "H100", price=10), offer("local/gpu", "H100", price=20)])


def asked(image: Image, *jobs, policy: Policy = OWN):
    return Planner().inquiries(image, Backlog(jobs), policy, 0)


def test_a_larger_job_never_waits_less():
    told = {ASKED: 600, replace(ASKED, nodes=4): 900, replace(ASKED, time_s=60): 0}
    assert at_most(told, ASKED) == expected(told, ASKED) == 600
    between = replace(ASKED, nodes=3)
    assert at_most(told, between) == expected(told, between) == 900
    longest = replace(ASKED, nodes=5)
    assert (at_most(told, longest), expected(told, longest)) == (None, 900)
    assert at_most(told, replace(ASKED, time_s=1)) == 0


def test_nothing_is_concluded_from_another_partition_or_model():
    told = {ASKED: 600}
    for other in (replace(ASKED, partition="cpu"), replace(ASKED, accelerator="A100")):
        assert expected(told, other) is None


def test_a_centre_is_asked_of_the_jobs_that_may_go_there_and_only_if_it_can_say():
    wide = job("a", "H100:4", cpus=8, count=2)
    assert asked(region(), wide) == {"slurm": {ASKED: "demo"}}
    assert asked(region(), replace(wide, nodes=9, shape=None)) == {}
    changes: list[dict[str, Any]] = [{"capabilities": None}, {"capabilities": frozenset()}]
    for change in [*changes, {"open": False}, {"silent_s": 60}]:
        assert asked(region(**change), wide) == {}
    assert asked(region(), wide, policy=Policy()) == {}


def test_so_many_shapes_and_no_more_those_that_wait_first():
    image, backlog = region(), Backlog()
    for number in range(2 * LOOKED_AT):
        backlog.add(job(f"job-{number}", "H100:1", hours=1 + number))
    planner = Planner()
    assert len(planner.inquiries(image, backlog, OWN, 0)["slurm"]) == MOST
    for number in range(1, 2 * LOOKED_AT):
        backlog.remove(f"job-{number}")
    first = next(iter(planner.inquiries(image, backlog, OWN, 0)["slurm"]))
    assert first.time_s == 3600


def test_who_wants_it_soon_goes_where_nobody_waits_and_is_told_who_says_so():
    image = region()
    hurried = replace(job("a", "H100:4", cpus=8, count=2), prefer=Prefer.TIME, shape=None)
    (there,) = planned(image, [hurried], OWN).assignments
    assert there.centre == "slurm"
    image.set_centre(replace(image.centres["slurm"], waits={ASKED: 7200}))
    (there,) = planned(image, [hurried], OWN).assignments
    assert there.centre == "local"
    rows = json.loads(json.dumps(there.explanation.to_json()))["outcome"]["data"]["costs"]
    waits = {row["subject"]: (row["wait_s"], row["centre_wait_s"]) for row in rows}
    assert waits == {"slurm/gpu H100:4": (7200, 7200), "local/gpu H100:4": (0, None)}


def test_shares_of_a_plan_do_not_hang_on_what_was_asked_before():
    image, hurried = region(waits={ASKED: 60}), job("a", "H100:4", cpus=8, count=2)
    planner, backlog = Planner(), Backlog([hurried])
    planner.inquiries(image, backlog, OWN, 0)
    shares = Shares(OWN)
    assert planner.plan(image, backlog, OWN, shares, 0) == Planner().plan(image, backlog, OWN, shares, 0)
