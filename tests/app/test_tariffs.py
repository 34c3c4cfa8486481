"""What an attempt costs by all that a tariff has, what is held for it, and that its bill recomputes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil

from baygrid.app import bill, jobs, offers
from baygrid.app.terms import EnergyRates
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.ports.messages import Order
from tests.app.stage import HOUR, OPERATOR, START, Site, Stage

GIB = 1 << 30
TWO_HOURS = {"resources": {"cpus": 2}, "time": "2h"}
DAY = ("0.5",) * 8 + ("2",) * 16  # dear from 8:00 in Shenzhen; START is 16:00 there
ENERGY = EnergyRates(DAY, "+08:00", watts_cpu=500)


def placed(stage: Stage, site: Site, **document: object) -> Order:
    stage.submit({**TWO_HOURS, **document})
    stage.schedule()
    (order,) = site.desired().orders
    return order


def ended(stage: Stage, site: Site, order: Order, *edges: int, egress_bytes: int = 0) -> jobs.JobView:
    """It ran from the first of these moments (ms after START) to the last, with a record for each part."""
    at = [START + edge for edge in edges]
    records = tuple(
        site.usage(order, start, end, n, egress_bytes if n == 0 else 0)
        for n, (start, end) in enumerate(pairwise(at))
    )
    stage.now = at[-1]
    told = site.says(order, AttemptState.SUCCEEDED)
    site.report(replace(told, started_at=at[0], ended_at=at[-1], usage=records))
    return jobs.job(stage.platform, OPERATOR, order.job)


def lines(stage: Stage, job: str) -> list[tuple[str, str, str]]:
    found = bill.of_job(stage.platform, OPERATOR, job, recompute=True)
    assert found.differences == ()
    told = [it.line for it in found.lines if it.line["item"] != "memory"]
    return [(line["item"], line["quantity"], line["amount"]) for line in told]


def test_a_minimum_counts_once_for_an_attempt(stage: Stage):
    site = stage.add_site("qianhai", rates=offers.Rates(cpu_hour="1", minimum_s=3600, round_up_s=60))
    order = placed(stage, site)
    view = ended(stage, site, order, 0, 60_000, 90_000)
    assert lines(stage, view.job.id) == [("cpu", "1/30", "0.03 CNY"), ("cpu", "59/30", "1.97 CNY")]
    assert (view.charged, view.overrun, view.job.hold) == (2_00, 0, 0)


def test_energy_and_egress_are_lines_of_their_own(stage: Stage):
    rates = offers.Rates(cpu_hour="1", egress_gib="0.8", energy=ENERGY)
    site = stage.add_site("qianhai", rates=rates)
    order = placed(stage, site, inputs={"data": "https://data.example/x"})
    assert order.counts_egress
    view = ended(stage, site, order, 0, HOUR, egress_bytes=GIB // 2)
    # START is 16:00 by that clock: two cpus are a kWh in an hour, at 2 yuan.
    assert lines(stage, view.job.id) == [
        ("egress", "0.5", "0.40 CNY"),
        ("cpu", "2", "2.00 CNY"),
        ("energy", "1", "2.00 CNY"),
    ]
    assert view.charged == 4_40


def test_the_hold_covers_energy_at_the_dearest_hour(stage: Stage):
    site = stage.add_site("qianhai", rates=offers.Rates(cpu_hour="1", energy=ENERGY))
    order = placed(stage, site)
    held = jobs.job(stage.platform, OPERATOR, order.job).job.hold
    seconds = 7200 + order.grace_s + KILL_WAIT_S
    cpus, kwh = ceil(2 * 100 * seconds / 3600), ceil(200 * seconds / 3600)
    assert held == cpus + kwh + 2, "half a fen for each hour that it may lie in, since each is a line"
    view = ended(stage, site, order, 0, HOUR, 2 * HOUR)
    assert (view.job.state, view.charged, view.overrun) == (JobState.SUCCEEDED, 8_00, 0)


def test_a_centre_cannot_claim_more_bytes_than_the_files_of_a_job_have(stage: Stage):
    site = stage.add_site("qianhai", rates=offers.Rates(cpu_hour="1", egress_gib="1"))
    order = placed(stage, site)
    view = ended(stage, site, order, 0, 60_000, egress_bytes=GIB)
    assert view.job.state is JobState.ACTIVE, "its report is refused"
    assert ended(stage, site, order, 0, 60_000).charged == 3
