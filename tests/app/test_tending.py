"""What the operator of a centre sees and does there, and that it is theirs alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from baygrid.app import centres, joining, offers, outside, tending
from baygrid.app.access import Actor
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import NodeReport
from baygrid.ports.records import CentreState, Role, Scope
from tests.app.stage import HOUR, OPERATOR, Site, Stage

OURS = Actor("session-1", Role.CENTRE, "qianhai", centre="qianhai", user="user-1")
THEIRS = replace(OURS, centre="nanshan", user="user-2")
RATES = offers.Rates(cpu_hour="2")


@pytest.fixture
def busy(stage: Stage, site: Site) -> Site:
    """Two jobs run, one has failed."""
    stage.submit(*({"name": name, "resources": {"cpus": 2, "memory": 4}} for name in "abc"))
    stage.schedule()
    stage.pass_time(60_000)
    one, two, three = site.desired().orders
    site.report(
        site.says(one, AttemptState.FAILED), *(site.says(it, AttemptState.RUNNING) for it in (two, three))
    )
    return site


def test_what_live_attempts_have_of_each_node(stage: Stage, busy: Site):
    found = tending.at_work(stage.platform, OURS, "qianhai")
    (use,) = found.nodes
    assert (use.partition, use.cpus, use.memory_mib, use.attempts) == ("main", 4, 8192, 2)
    assert [run.job.name for run in found.runs] == ["c", "b"]


def test_a_shared_accelerator_counts_as_its_part(stage: Stage):
    node = NodeReport("gpu-1", 8, 65_536, {"H100": 2})
    site = stage.add_site("nanshan")
    site.nodes = (node,)
    site.report()
    rates = offers.Rates(accelerator_hour="5")
    offers.add_offer(
        stage.platform, OPERATOR, id=None, centre="nanshan", partition="main", accelerator="H100",
        currency="CNY", rates=rates, valid_from=None,
    )  # fmt: skip
    stage.submit({"resources": {"accelerators": "H100:0.5", "cpus": 1, "memory": 1}})
    stage.schedule()
    (use,) = tending.at_work(stage.platform, THEIRS, "nanshan").nodes
    assert use.accelerators == {"H100": Fraction(1, 2)}


def test_what_ran_comes_newest_first_in_pages(stage: Stage, busy: Site):
    first = tending.lately(stage.platform, OURS, "qianhai", None, 2)
    assert [(run.job.name, run.attempt.state) for run in first] == [
        ("c", AttemptState.RUNNING), ("b", AttemptState.RUNNING),
    ]  # fmt: skip
    (last,) = tending.lately(stage.platform, OURS, "qianhai", first[-1].attempt.id, 2)
    assert (last.job.name, last.attempt.cause) == ("a", "exit-code")
    stage.add_site("nanshan")
    assert tending.lately(stage.platform, THEIRS, "nanshan", None, 9) == []


def test_what_was_not_believed_of_the_last_report_is_kept_until_it_is_said_no_more(stage: Stage, site: Site):
    stage.submit({})
    stage.schedule()
    (order,) = site.desired().orders
    odd = replace(site.says(order, AttemptState.RUNNING), staged_bytes=-1)
    site.report(odd)
    refused = tending.at_work(stage.platform, OURS, "qianhai").centre.refused
    assert refused == {order.attempt: "it says that more bytes were staged than there can be"}
    site.report()
    assert tending.at_work(stage.platform, OURS, "qianhai").centre.refused == {}


ACTS: dict[str, Callable[[Stage, Actor], Any]] = {
    "at_work": lambda stage, who: tending.at_work(stage.platform, who, "qianhai"),
    "lately": lambda stage, who: tending.lately(stage.platform, who, "qianhai", None, 1),
    "usage": lambda stage, who: outside.usage(stage.platform, who, "qianhai", 0, stage.now),
    "invite": lambda stage, who: joining.invite(stage.platform, who, "qianhai", True),
    "revoke": lambda stage, who: joining.revoke(stage.platform, who, "qianhai"),
    "drain": lambda stage, who: centres.set_state(stage.platform, who, "qianhai", CentreState.DRAINED),
    "price": lambda stage, who: offers.add_tariff(
        stage.platform, who, "qianhai-main", stage.now + HOUR, RATES
    ),
    "look at a price": lambda stage, who: offers.planned_tariff(
        stage.platform, who, "qianhai-main", stage.now + HOUR, RATES
    ),
    "first price": lambda stage, who: offers.add_offer(
        stage.platform, who, id=None, centre="qianhai", partition="more", accelerator=None,
        currency="CNY", rates=RATES, valid_from=None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_only_a_centres_own_operator_tends_it(stage: Stage, site: Site, act: str):
    stage.add_site("nanshan")
    ACTS[act](stage, OURS)
    for other in (THEIRS, site.actor, stage.team):
        with pytest.raises(Forbidden):
            ACTS[act](stage, other)


@pytest.mark.parametrize("act", sorted(set(ACTS) - {"at_work", "lately", "usage"}))
def test_who_may_only_look_changes_nothing(stage: Stage, site: Site, act: str):
    with pytest.raises(Forbidden, match="good for read only"):
        ACTS[act](stage, replace(OURS, scopes=frozenset({Scope.READ})))


def test_a_price_is_looked_at_before_it_is_set(stage: Stage, site: Site):
    begins = stage.now + HOUR
    row, tariff = offers.planned_tariff(stage.platform, OURS, "qianhai-main", begins, RATES)
    assert (len(row.tariffs), str(tariff.cpu_hour), tariff.valid_from) == (1, "2", begins)
    assert len(offers.offers(stage.platform, OURS)[0].tariffs) == 1, "nothing is changed"
    offers.add_tariff(stage.platform, OURS, "qianhai-main", begins, RATES)
    with pytest.raises(WrongState, match="already has a tariff"):
        offers.planned_tariff(stage.platform, OURS, "qianhai-main", begins, RATES)
    with pytest.raises(Invalid, match="lies in the past"):
        offers.planned_tariff(stage.platform, OURS, "qianhai-main", stage.now - 1, RATES)
    with pytest.raises(NotFound):
        offers.planned_tariff(stage.platform, OPERATOR, "absent", begins, RATES)
