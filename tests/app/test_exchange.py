"""What agents measure reaches placement, which says what it reckoned with."""

import hashlib
from dataclasses import replace

import pytest

from baygrid.app import blobs, exchange, explain, policies
from baygrid.app.exchange import Link
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.links import FRESH_MS, KEPT, Origin, Sample
from baygrid.core.units import Money
from baygrid.ports.messages import ReportAnswer
from tests.app.stage import OPERATOR, Site, Stage

CONTENT = bytes(100_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    blobs.put(stage.platform, stage.team, DIGEST, 0, len(CONTENT), iter([CONTENT]))
    return stage


@pytest.fixture
def near(stage: Stage) -> Site:
    return stage.add_site("near")


@pytest.fixture
def far(stage: Stage) -> Site:
    return stage.add_site("far", cpu_hour="1.01")


def measures(site: Site, mbit_s: int | None, **fields: int) -> ReportAnswer:
    site.stage.now += 1_000
    sample = Sample(site.stage.now, mbit_s and mbit_s * 10**6, 900, 950, 5, 0)
    return site.report(links=(replace(sample, **fields),))


def link(stage: Stage, centre: str) -> Link:
    (found,) = [one for one in exchange.show(stage.platform, stage.team).links if one.target == centre]
    return found


def test_a_slow_link_moves_a_job_with_much_data(stage: Stage, near: Site, far: Site):
    measures(near, 1000)
    measures(far, 1000)
    (id,) = stage.submit({"prefer": "time", "workdir": f"blob:{DIGEST}", "resources": {"cpus": 8}})
    stage.schedule()
    found = explain.of_job(stage.platform, stage.team, id)
    assert [row.name for row in found.rows if row.verdict == "chosen"] == ["near/main"]
    assert "near's link to the exchange (1000 Mbit/s, measured at " in found.text
    for site in (near, far):  # what ran has ended
        (order,) = site.desired().orders or (None,)
        if order is not None:
            site.report(site.says(order, AttemptState.SUCCEEDED))
    for _ in range(KEPT):
        measures(near, 10)
    (id,) = stage.submit({"prefer": "time", "workdir": f"blob:{DIGEST}", "resources": {"cpus": 8}})
    stage.schedule()
    found = explain.of_job(stage.platform, stage.team, id)
    assert [row.name for row in found.rows if row.verdict == "chosen"] == ["far/main"]
    (other,) = [row for row in found.rows if row.name == "near/main"]
    assert "over near's link to the exchange (10 Mbit/s, measured at " in other.reasons[0]["text"]
    assert other.link is not None
    assert (other.link["mbit_s"], other.link["origin"]) == (10, "measured")


def test_a_dear_link_moves_it_too(stage: Stage, near: Site, far: Site):
    declared = {"near": {"link": {"gib_price": "1"}}}
    policies.set_policy(stage.platform, OPERATOR, {"centres": declared}, None)
    (id,) = stage.submit({"workdir": f"blob:{DIGEST}"})
    stage.schedule()
    found = explain.of_job(stage.platform, stage.team, id)
    (chosen,) = [row for row in found.rows if row.verdict == "chosen"]
    assert (chosen.name, chosen.cost) == ("far/main", Money.parse("1.01 CNY"))
    (other,) = [row for row in found.rows if row.name == "near/main"]
    assert other.reasons[0]["text"].endswith(
        "the link from the exchange to near is unknown, and taken as instant, at CNY 1 per GiB"
    )


def test_measured_while_fresh_then_declared_then_unknown(stage: Stage, near: Site):
    assert link(stage, "near").speed.origin is Origin.UNKNOWN
    policies.set_policy(stage.platform, OPERATOR, {"centres": {"near": {"link": {"mbit_s": 50}}}}, None)
    assert link(stage, "near").speed.origin is Origin.DECLARED
    measures(near, 200)
    at = stage.now
    found = link(stage, "near")
    assert (found.speed.bit_s, found.speed.measured_at) == (200_000_000, at)
    stage.now += FRESH_MS + 1
    near.report()
    found = link(stage, "near")
    assert (found.speed.origin, found.speed.bit_s) == (Origin.DECLARED, 50_000_000)
    assert found.measured is not None


def test_a_sample_counts_once_and_only_the_last_ones_do(stage: Stage, near: Site):
    sample = Sample(stage.now, 10**8, 900, 950, 5, 0)
    near.report(links=(sample,))
    near.report(links=(sample,))
    (row,) = stage.store.read(lambda tx: tx.exchange.links())
    assert row.samples == (sample,)
    for n in range(KEPT):
        measures(near, 100 + n)
    (row,) = stage.store.read(lambda tx: tx.exchange.links())
    assert len(row.samples) == KEPT
    assert sample not in row.samples


@pytest.mark.parametrize(
    "lie",
    [{"bit_s": -1}, {"bit_s": 10**15}, {"median_us": 0}, {"lost": 6}, {"sent": 10**6}, {"at": 1 << 60}],
)
def test_what_no_link_can_do_is_refused_and_changes_nothing(stage: Stage, near: Site, lie: dict[str, int]):
    answer = measures(near, 100, **lie)
    assert [attempt for attempt, _ in answer.refused] == ["link"]
    assert stage.store.read(lambda tx: tx.exchange.links()) == []


def test_old_reports_have_no_links(stage: Stage, near: Site):
    near.report()
    assert link(stage, "near").measured is None
