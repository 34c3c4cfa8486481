"""A centre with a scheduler of its own gets a few attempts at a time, and the next as soon as one began."""

from __future__ import annotations

from baygrid.app import policies
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from tests.app.stage import OPERATOR, Stage


def test_the_next_goes_there_when_one_has_begun():
    stage = Stage()
    site = stage.add_site("slurm", nodes=4)
    policy = {"centres": {"slurm": {"managed": False, "max_pending": 1}}}
    policies.set_policy(stage.platform, OPERATOR, policy, None)
    first, second = stage.submit({"resources": {"cpus": 8}}, {"resources": {"cpus": 8}})
    stage.schedule()
    (order,) = site.desired().orders
    assert (order.job, order.nodes) == (first, ())
    site.report(site.says(order, AttemptState.RUNNING))
    stage.schedule()
    assert {order.job for order in site.desired().orders} == {first, second}
    found = stage.store.read(lambda tx: tx.jobs.get([second]))
    assert found[second].state is JobState.ACTIVE
