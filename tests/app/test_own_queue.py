"""A centre with a scheduler of its own gets a few attempts at a time, and the next as soon as one began. It
chooses the nodes: how many is ours, which ones it tells when it knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import explain, jobs, policies
from baygrid.app.problems import Invalid
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import Order
from tests.app.stage import HOUR, OPERATOR, Site, Stage

OWN_QUEUE = {"managed": False, "max_pending": 1}


def slurm(stage: Stage, max_pending: int = 1, nodes: int = 4, **policy: object) -> Site:
    site = stage.add_site("slurm", nodes=nodes, driver="queueing")
    centres = {"slurm": OWN_QUEUE | {"max_pending": max_pending}}
    policies.set_policy(stage.platform, OPERATOR, {"centres": centres, **policy}, None)
    return site


def gang(stage: Stage, site: Site) -> Order:
    """Two nodes of eight cpus, running since a minute."""
    stage.submit({"nodes": 2, "resources": {"cpus": 8}})
    stage.schedule()
    stage.pass_time(60_000)
    (order,) = site.desired().orders
    return order


def test_the_next_goes_there_when_one_has_begun():
    stage = Stage()
    site = slurm(stage)
    first, second = stage.submit({"resources": {"cpus": 8}}, {"resources": {"cpus": 8}})
    stage.schedule()
    (order,) = site.desired().orders
    assert (order.job, order.nodes) == (first, ())
    (row,) = explain.of_job(stage.platform, OPERATOR, second).rows
    assert [reason["code"] for reason in row.reasons] == ["pending"]
    site.report(site.says(order, AttemptState.RUNNING))
    stage.schedule()
    assert {order.job for order in site.desired().orders} == {first, second}
    found = stage.store.read(lambda tx: tx.jobs.get([second]))
    assert found[second].state is JobState.ACTIVE


def test_a_driver_that_chooses_no_nodes_is_always_managed():
    stage = Stage()
    stage.add_site("here")
    with pytest.raises(Invalid, match="take the field out"):
        policies.set_policy(stage.platform, OPERATOR, {"centres": {"here": OWN_QUEUE}}, None)


@pytest.mark.parametrize("declared", [None, {"centres": {"far": {"managed": True}}}])
def test_an_engine_that_schedules_itself_is_told_no_nodes_whatever_the_policy_says(declared):
    stage = Stage()
    site = stage.add_site("far", driver="slurm")
    if declared is not None:
        policies.set_policy(stage.platform, OPERATOR, declared, None)
    stage.submit({"resources": {"cpus": 8}})
    stage.schedule()
    (order,) = site.desired().orders
    assert (order.nodes, order.count) == ((), 1)


def test_a_gang_is_billed_for_all_its_nodes():
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    assert (order.count, order.nodes) == (2, ())
    site.report(site.says(order, AttemptState.RUNNING))
    (view,) = [jobs.job(stage.platform, stage.team, order.job)]
    assert view.cost[order.attempt] == 2 * 8 * 100 // 60 + 1  # CNY 1 for a cpu and an hour, rounded up
    stage.pass_time(HOUR - 60_000)
    answer = site.report(site.says(order, AttemptState.SUCCEEDED, seconds=3600))
    assert answer.refused == ()
    assert jobs.job(stage.platform, stage.team, order.job).charged == 2 * 8 * 100


def test_usage_of_fewer_nodes_than_were_given_is_refused():
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    short = replace(order, count=1)
    answer = site.report(site.says(short, AttemptState.SUCCEEDED))
    assert "the attempt was given (2," in dict(answer.refused)[order.attempt]


def test_an_elastic_job_holds_money_for_the_nodes_that_it_got():
    stage = Stage()
    site = slurm(stage, nodes=3)
    (job,) = stage.submit({"nodes": "1..8", "resources": {"cpus": 8}})
    stage.schedule()
    (order,) = site.desired().orders
    held = stage.store.read(lambda tx: tx.jobs.get([job]))[job].hold
    (one,) = stage.submit({"nodes": 3, "resources": {"cpus": 8}})
    site.report(site.says(order, AttemptState.RUNNING))
    stage.schedule()
    assert order.count == 3
    assert held == stage.store.read(lambda tx: tx.jobs.get([one]))[one].hold


def test_quota_counts_all_nodes():
    stage = Stage()
    site = slurm(stage, max_pending=9, queues={"default": {"quotas": {"cpu": 24}}})
    site.report(site.says(gang(stage, site), AttemptState.RUNNING))
    asked = {"resources": {"cpus": 8}}
    again, small = stage.submit(asked | {"nodes": 2}, asked | {"time": "30m"})
    stage.schedule()
    assert small in {order.job for order in site.desired().orders}
    (row,) = explain.of_job(stage.platform, OPERATOR, again).rows
    assert [reason["code"] for reason in row.reasons] == ["quota"]


def test_fair_shares_count_all_nodes():
    stage = Stage()
    site = slurm(stage, nodes=3)
    other = stage.add_project("other")
    asked = {"resources": {"cpus": 8}}
    for actor, nodes in ((None, 2), (other, 1)):
        stage.submit(asked | {"nodes": nodes}, actor=actor)
        stage.schedule()
        site.report(*(site.says(order, AttemptState.RUNNING) for order in site.desired().orders))
    stage.pass_time(HOUR)
    orders = site.desired().orders
    site.report(*(site.says(order, AttemptState.SUCCEEDED, seconds=3600) for order in orders))
    stage.submit(asked)
    stage.submit(asked, actor=other)
    stage.schedule()
    assert [order.project for order in site.desired().orders] == ["other"]


def test_the_nodes_that_a_centre_chose_are_kept():
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    running = site.says(order, AttemptState.RUNNING)

    def known() -> tuple[str, ...]:
        return stage.store.read(lambda tx: tx.attempts.get([order.attempt]))[order.attempt].nodes

    site.report(running)
    assert known() == ()
    site.report(replace(running, nodes=("node-7", "node-9")))
    assert known() == ("node-7", "node-9")
    stage.schedule()  # whoever plans on it knows the partition by its sums still
    site.report(running)
    assert known() == ("node-7", "node-9")
    assert site.report(site.says(order, AttemptState.SUCCEEDED)).refused == ()
    assert known() == ("node-7", "node-9")


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        (("n1",), "names 1 nodes, and the attempt was given 2"),
        (("n1", "n2", "n3"), "names 3 nodes"),
        (("n1", ""), "1 to 253 printable"),
        (("n1", "n" * 254), "1 to 253 printable"),
        (("n1", "n\n2"), "1 to 253 printable"),
        (("n1", "n3"), "other nodes than those"),
    ],
)
def test_nodes_that_cannot_be_are_refused(nodes: tuple[str, ...], why: str):
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    running = site.says(order, AttemptState.RUNNING)
    site.report(replace(running, nodes=("n1", "n2")))
    answer = site.report(replace(running, nodes=nodes))
    assert why in dict(answer.refused)[order.attempt]


def test_when_a_centre_expects_to_start_what_waits_there_is_told():
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    waits = replace(site.says(order, AttemptState.WAITING), raw="PENDING", detail="Resources")
    site.report(waits)
    told = explain.of_job(stage.platform, OPERATOR, order.job)
    assert told.text.endswith("; it waits in the centre's own queue (Resources)")
    site.report(replace(waits, expected_at=stage.now + HOUR))
    told = explain.of_job(stage.platform, OPERATOR, order.job)
    assert told.text.endswith("; its centre expects to start it at 2027-01-15T09:01:00.000Z (Resources)")
    assert told.facts["centre_expects_ms"] == stage.now + HOUR
    (view,) = jobs.page(stage.platform, stage.team, project=None, states=[], before=None, limit=9)
    assert view.attempts[-1].expected_at == stage.now + HOUR
    site.report(site.says(order, AttemptState.RUNNING))
    told = explain.of_job(stage.platform, OPERATOR, order.job)
    assert "expects" not in told.text
    assert jobs.job(stage.platform, stage.team, order.job).attempts[-1].expected_at is None


@pytest.mark.parametrize("at", [-1, 1 << 50, 1 << 70])
def test_a_time_at_which_nothing_can_start_is_left_out(at: int):
    stage = Stage()
    site = slurm(stage)
    order = gang(stage, site)
    answer = site.report(replace(site.says(order, AttemptState.WAITING), expected_at=at))
    assert answer.refused == ()
    (attempt,) = jobs.job(stage.platform, stage.team, order.job).attempts
    assert (attempt.state, attempt.expected_at) == (AttemptState.WAITING, None)
