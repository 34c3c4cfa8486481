"""The platform's own figures, from a region that works: every number reckoned again by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from baygrid.app import bottlenecks, jobs, looking, offers, projects, vouchers
from baygrid.app.bottlenecks import CONSTRAINTS, kept_away, show
from baygrid.app.entitlement import Asked
from baygrid.app.problems import Invalid
from baygrid.core.days import day_of
from baygrid.core.indicators.figure import Figure
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.judging.filters import NOT_NOW, OUTRANKED
from baygrid.core.region.bodies import Body, Label, Labelled, Record
from baygrid.core.region.bodies import Kind as BodyKind
from baygrid.core.units import Money
from baygrid.observatory.own import BY_LAYER, IDS
from baygrid.ports.messages import NodeReport
from baygrid.ports.records import Kind
from baygrid.ports.registry import BodyRow
from tests.app.stage import HOUR, OPERATOR, Site, Stage

GPU = {"resources": {"cpus": 1, "memory": 1, "accelerators": "H100:2"}, "time": "1h"}


def gpu_site(stage: Stage, name: str, hour: str = "10", jurisdiction: str = "CN-QH") -> Site:
    site = stage.add_site(name, jurisdiction=jurisdiction)
    site.nodes = (NodeReport(f"{name}-0", 8, 65_536, {"H100": 2}),)
    rates = offers.Rates(accelerator_hour=hour)
    offers.add_offer(
        stage.platform, OPERATOR, id=None, centre=name, partition="main", accelerator="H100", currency="CNY",
        rates=rates, valid_from=None,
    )  # fmt: skip
    site.report()
    return site


def figures(stage: Stage) -> dict[str, Figure]:
    found = show(stage.platform, stage.team, None, None)
    assert len({it.id for it in found}) == len(found)
    return {it.id: it for it in found}


def told(stage: Stage, prefix: str) -> dict[str, str | None]:
    """Those that are not 0."""
    found = figures(stage).items()
    return {
        id.removeprefix(prefix): it.to_json()["value"]
        for id, it in found
        if id.startswith(prefix) and it.value != 0
    }


def run(stage: Stage, site: Site, seconds: int) -> None:
    """All that was placed there, for so long."""
    stage.pass_time(seconds * 1000)
    for order in site.desired().orders:
        site.report(site.says(order, AttemptState.SUCCEEDED, seconds))


def test_hours_that_nobody_had_are_told_by_what_was_lacking():
    stage = Stage()
    gpu_site(stage, "qianhai")
    stage.submit(GPU, GPU, {**GPU, "time": "30m"})
    stage.schedule()
    assert told(stage, "compute.hours_unmet") == {"": "3", ".room": "3"}
    (last,) = stage.submit({**GPU, "time": "30m"})
    stage.submit({**GPU, "nodes": 1, "after": [last]}, {"time": "2h"})
    jobs.cancel(stage.platform, stage.team, last)
    assert told(stage, "compute.hours_unmet") == {"": "4", ".room": "3", ".given_up": "1"}


def test_hours_that_wait_for_money_and_not_those_that_wait_for_their_own_turn():
    stage = Stage(funds="30 CNY")
    site = gpu_site(stage, "qianhai")
    stage.submit({**GPU, "array": {"range": "0-3", "parallel": 1}})
    assert told(stage, "compute.hours_unmet") == {"": "2", ".room": "2"}
    stage.schedule()
    assert told(stage, "compute.hours_unmet") == {}
    run(stage, site, 3600)
    assert told(stage, "compute.hours_unmet") == {"": "2", ".money": "2"}


def test_the_days_asked_for_are_those_of_the_region_and_both_are_in_it():
    stage = Stage()
    gpu_site(stage, "qianhai")
    stage.submit(GPU, GPU)
    day = day_of(stage.now)
    of = (stage.platform, stage.team)

    def unmet(first: date, last: date) -> Decimal | None:
        return next(it for it in show(*of, first, last) if it.id == "compute.hours_unmet").value

    stage.pass_time(72 * HOUR)
    one = timedelta(days=1)
    assert [unmet(day, day), unmet(day - one, day), unmet(day, day + one)] == [4, 4, 4]
    assert [unmet(day - one, day - one), unmet(day + one, day + one)] == [0, 0]
    with pytest.raises(Invalid, match="turn them round"):
        show(*of, day, day - one)
    with pytest.raises(Invalid, match="at most 366 days"):
        show(*of, day - 366 * one, day)


def test_what_kept_jobs_away_from_each_centre_is_what_came_nearest():
    stage = Stage()
    gpu_site(stage, "cheap", "1")
    gpu_site(stage, "dear", "10")
    stage.add_site("plain")
    gpu_site(stage, "abroad", "1", jurisdiction="HK")
    stage.submit({**GPU, "data": {"residency": ["CN-QH"]}})
    stage.schedule()
    stage.submit({**GPU, "data": {"residency": ["CN-QH"]}})
    stage.schedule()
    assert told(stage, "centres.constraint.") == {
        "abroad.law": "2",
        "cheap.capacity": "1",
        "dear.outranked": "1",
        "plain.equipment": "2",
    }


def test_of_a_centre_with_several_partitions_the_nearest_counts_and_of_that_what_is_worst():
    def verdict(subject: str, *codes: str) -> dict[str, object]:
        return {"subject": subject, "obstacles": [{"code": it} for it in codes]}

    assert kept_away({"verdicts": [verdict("a/x H100:1", "accelerator"), verdict("a/y", "busy")]}) == {
        "a": "capacity"
    }
    assert kept_away({"verdicts": [verdict("a/x", "busy", "law")]}) == {"a": "law"}
    assert kept_away({"verdicts": [verdict("a/x", "busy"), verdict("a/y")]}) == {}
    assert kept_away({"verdicts": [verdict("b", "no-inventory"), verdict("c/x", "new-code")]}) == {
        "b": "closed",
        "c": "other",
    }
    assert kept_away({}) == {}


def test_every_obstacle_that_passes_by_waiting_has_its_kind():
    assert NOT_NOW | {OUTRANKED} <= frozenset().union(*CONSTRAINTS.values())


def test_wishes_for_data_are_counted_once_and_each_time():
    stage = Stage()
    stage.add_project("other")
    for text, project in (("taxi rides", "demo"), ("Taxi  rides", "other"), ("weather", "demo")):
        looking.wish(stage.platform, OPERATOR, project, text)
    assert told(stage, "data.") == {"requests_unmet": "2", "requests_unmet.times": "3"}
    stage.pass_time(40 * 24 * HOUR)
    assert told(stage, "data.") == {}


def region(stage: Stage, layers: list[str]) -> None:
    """A company for each of these layers, that has had half an hour of two H100, and part of its cost from a
    voucher. "": it is not in the registry."""
    site = gpu_site(stage, "qianhai", "100")
    vouchers.add_pool(
        stage.platform, OPERATOR, name="region", payer="the bureau", rulebook="example",
        clause="compute-share", amount=Money.parse("10000 CNY"),
    )  # fmt: skip
    for number, layer in enumerate(layers):
        name = f"company-{number}"
        projects.add_organisation(stage.platform, OPERATOR, name, Kind.COMPANY, name)
        actor = stage.add_project(name, name)
        facts = {"start_up": True, "compute_contract": "1000", "compute_contract_name": f"of {name}"}
        vouchers.issue(stage.platform, OPERATOR, Asked(name, name, "region", facts))
        stage.submit(GPU, actor=actor)
        stage.schedule()
        run(stage, site, 1800)
        if layer:
            link(stage, name, layer)


def link(stage: Stage, organisation: str, layer: str, kind: BodyKind = BodyKind.COMPANY) -> None:
    body = Body(id=f"body-{organisation}", kind=kind, scheme=None, code="", names={"en": organisation})
    labels = (Label(body.id, Labelled.LAYER, layer, None, None),) if layer != "unlabelled" else ()
    row = BodyRow(body.id, 1, Record(body, (), labels), (), organisation, organisation=organisation)
    stage.store.write(lambda tx: tx.registry.insert_bodies([row]))


def test_compute_and_support_are_told_by_layer_from_the_ledger_and_few_are_not_told():
    stage = Stage()
    region(stage, ["base"] * 3 + ["technology"] * 2 + ["application"] * 2 + [""] * 3)
    used = told(stage, "compute.used")
    assert used == {"": "10", ".base": "3", ".technology": None, ".application": None, ".not_linked": "3"}
    assert figures(stage)["compute.used.technology"].note == "suppressed: fewer than 3 of them"
    charged = stage.store.read(lambda tx: [*tx.bottlenecks.charged(0, stage.now + 1)])
    paid = Decimal(sum(it.supported for it in charged)) / 100
    support = told(stage, "support.received")
    assert support[""] == str(paid)
    assert paid > 0
    assert {layer for layer, it in support.items() if it is None} == {".technology", ".application"}


def test_nobody_in_a_layer_is_told_as_nothing_and_every_layer_has_its_figure():
    stage = Stage()
    found = figures(stage)
    for part in BY_LAYER:
        assert {f"compute.used.{part}", f"support.received.{part}"} <= set(found)
    assert found["compute.used.base"].value == 0
    assert found["compute.used.base"].unit == bottlenecks.HOURS
    assert not any(it.synthetic for it in found.values())


@pytest.mark.parametrize("subject", IDS)
def test_one_subject_alone_tells_what_all_tell_of_it(subject):
    stage = Stage()
    gpu_site(stage, "cheap", "1")
    gpu_site(stage, "dear", "10")
    stage.submit(GPU)
    stage.schedule()
    whole = show(stage.platform, stage.team, None, None)
    alone = show(stage.platform, stage.team, None, None, subject)
    of = [it for it in whole if it.id.startswith(subject)]
    assert of
    assert [it for it in alone if it.id.startswith(subject)] == of


def test_a_company_without_a_layer_has_its_row_and_a_university_is_no_company():
    stage = Stage()
    region(stage, ["unlabelled"] * 3 + [""] * 3)
    link(stage, "company-3", "base", BodyKind.UNIVERSITY)
    assert told(stage, "compute.used") == {"": "6", ".unlabelled": "3", ".not_linked": "3"}
