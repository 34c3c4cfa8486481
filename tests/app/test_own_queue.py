"""A centre with a scheduler of its own gets a few attempts at a time, and the next as soon as one began."""

from __future__ import annotations

import pytest

from baygrid.app import explain, policies
from baygrid.app.problems import Invalid
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from tests.app.stage import OPERATOR, Stage

OWN_QUEUE = {"managed": False, "max_pending": 1}


def test_the_next_goes_there_when_one_has_begun():
    stage = Stage()
    site = stage.add_site("slurm", nodes=4, driver="queueing")
    policies.set_policy(stage.platform, OPERATOR, {"centres": {"slurm": OWN_QUEUE}}, None)
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
