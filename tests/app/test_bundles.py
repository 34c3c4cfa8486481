"""The bundle of a project: everything that its charges follow from, signed, and good without a server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from baygrid.app import bundles
from baygrid.app.problems import NotFound
from baygrid.app.signatures import signed_by
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.verify import Checked, checked, first_difference
from baygrid.ports.bundles import canonical, load_bundle
from tests.app.stage import HOUR, Site, Stage
from tests.app.test_vouchers import issued, pool, ran


def of_project(stage: Stage, start: int = 0) -> bundles.Document:
    return bundles.of_project(stage.platform, stage.team, "demo", start, stage.now + 1)


def test_a_bundle_of_real_charges_is_good(stage: Stage, site: Site):
    pool(stage)
    row = issued(stage)
    ran(stage, site)
    ran(stage, site, budget={"voucher": "none"})
    key = bundles.public_key(stage.platform, stage.team)
    found = load_bundle(canonical(of_project(stage)))
    assert first_difference(found, signed_by, key) is None
    assert checked(found) == Checked(papers=1, lines=4, records=2, shares=1)
    assert set(found.vouchers) == {row.voucher.id}
    assert found.keys == {site.name: (site.key.public_key,)}


def test_it_has_the_charges_of_its_time_only(stage: Stage, site: Site):
    ran(stage, site)
    stage.pass_time(HOUR)
    between = stage.now
    site.report()
    second = ran(stage, site)
    (paper,) = of_project(stage, between)["papers"]
    assert {it["job"] for it in paper["charges"]} == {second}
    assert len(of_project(stage)["usage"]) == 2


def test_an_attempt_that_was_lost_costs_nothing_and_is_not_in_it(stage: Stage, site: Site):
    stage.submit()
    stage.schedule()
    (order,) = site.desired().orders
    site.report(site.says(order, AttemptState.LOST))
    found = of_project(stage)
    assert (found["papers"][0]["charges"], found["usage"]) == ([], [])
    assert first_difference(load_bundle(canonical(found)), signed_by) is None


def test_what_its_agent_signed_by_an_earlier_key_stays_good(stage: Stage, site: Site):
    ran(stage, site)
    earlier, site.key = site.key, Key.new()
    site.report()
    ran(stage, site)
    found = load_bundle(canonical(of_project(stage)))
    assert set(found.keys[site.name]) == {earlier.public_key, site.key.public_key}
    assert first_difference(found, signed_by) is None


def test_another_project_has_none_of_it(stage: Stage, site: Site):
    ran(stage, site)
    rival = stage.add_project("other")
    with pytest.raises(NotFound):
        bundles.of_project(stage.platform, rival, "demo", 0, stage.now)


def test_a_server_without_a_key_signs_nothing(stage: Stage):
    bare = replace(stage.platform, signer=None)
    with pytest.raises(bundles.NoSigner):
        bundles.of_project(bare, stage.team, "demo", 0, stage.now)


def test_anybody_can_check_a_record_by_itself(stage: Stage, site: Site):
    """With any Ed25519 and any JSON library: the record is what was signed, with its keys sorted."""
    ran(stage, site)
    (usage,) = of_project(stage)["usage"]
    text = json.dumps(usage["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert signed_by(usage["public_key"], usage["signature"], text.encode())
