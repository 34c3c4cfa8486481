"""The bundle of a project: everything that its charges follow from, signed, and good without a server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from baygrid.app import bundles, credit_notes
from baygrid.app.problems import Forbidden, NotFound
from baygrid.app.signatures import signed_by
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.papers import Document
from baygrid.core.pricing.verify import Checked, checked, first_difference
from baygrid.core.units import Money
from baygrid.ports.bundles import canonical, load_bundle
from baygrid.ports.papers import PaperKind
from tests.app.stage import HOUR, OPERATOR, Site, Stage
from tests.app.test_closing import close, month_passes, set_rates
from tests.app.test_closing import ran as ran_at
from tests.app.test_vouchers import issued, pool, ran


def of_project(stage: Stage, start: int = 0) -> Document:
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


def test_every_paper_of_a_closed_month_is_good_by_itself(stage: Stage, site: Site):
    other = stage.add_site("nanshan", cpu_hour="3")
    set_rates(stage)
    pool(stage)
    issued(stage, project="demo")
    rival = stage.add_project("rival")
    for where, who in ((site, stage.team), (site, rival), (other, rival)):
        ran_at(stage, where, actor=who)
    month_passes(stage)
    closed = close(stage)
    kinds = [row.kind for row in closed.papers]
    assert kinds == ["invoice", "invoice", "settlement", "settlement", "claim"]
    for row in closed.papers:
        document = bundles.of_paper(stage.platform, OPERATOR, row.kind, row.number)
        found = load_bundle(canonical(document))
        assert first_difference(found, signed_by) is None
        assert found.usage, "it has the records that it follows from"
    claim = bundles.of_paper(stage.platform, OPERATOR, PaperKind.CLAIM, closed.papers[-1].number)
    assert [paper["kind"] for paper in claim["papers"]] == ["invoice", "claim"]


def test_who_may_not_see_a_paper_gets_no_bundle_of_it(stage: Stage, site: Site):
    ran_at(stage, site)
    month_passes(stage)
    rival, number = stage.add_project("rival"), close(stage).papers[0].number
    assert bundles.of_paper(stage.platform, stage.team, PaperKind.INVOICE, number)["usage"]
    with pytest.raises(NotFound):
        bundles.of_paper(stage.platform, rival, PaperKind.INVOICE, number)
    with pytest.raises(Forbidden):
        bundles.of_paper(stage.platform, stage.team, PaperKind.CLAIM, number)
    assert bundles.of_paper(stage.platform, site.actor, PaperKind.SETTLEMENT, number)["usage"]


def test_a_credit_note_comes_with_its_invoice_and_the_notes_before_it(stage: Stage, site: Site):
    set_rates(stage)
    ran_at(stage, site)
    month_passes(stage)
    number = close(stage).papers[0].number
    notes = [
        credit_notes.credit(stage.platform, OPERATOR, number, Money(40, "CNY"), "an error") for _ in "12"
    ]
    document = bundles.of_paper(stage.platform, stage.team, PaperKind.CREDIT_NOTE, notes[1].row.number)
    assert [paper["kind"] for paper in document["papers"]] == ["invoice", "credit-note", "credit-note"]
    assert first_difference(load_bundle(canonical(document)), signed_by) is None
