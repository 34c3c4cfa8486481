"""What-if on what really happened: which jobs are taken, how long they ran, and what a change must say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from baygrid.app import jobs, whatif
from baygrid.app.problems import Forbidden, Invalid
from baygrid.app.whatif import Change
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.replay.whatif import Past, Setting
from baygrid.replay.whatif_report import compare
from tests.app.stage import HOUR, OPERATOR, START, Site, Stage

DEARER = Change(prices={"hub-main": "3"})
NEW = {
    "name": "new",
    "jurisdiction": "HK",
    "partitions": [{"name": "main", "nodes": [{"count": 4, "cpus": 8, "memory": "64GiB"}]}],
    "offers": [{"partition": "main", "currency": "CNY", "cpu_hour": "0.5"}],
}


@pytest.fixture
def site(stage: Stage) -> Site:
    """One node with 8 cpus at 1 CNY a cpu-hour."""
    return stage.add_site("hub")


def ask(stage: Stage, change: Change = DEARER, **options: Any) -> dict[str, Any]:
    return whatif.whatif(stage.platform, OPERATOR, change, work=compare, **options)


def given(stage: Stage, change: Change, **options: Any) -> tuple[Setting, Setting, Sequence[Past]]:
    """What the simulation would get."""
    seen: list[Any] = []

    def keep(before: Setting, after: Setting, history: Sequence[Past], until: int) -> dict[str, Any]:
        seen.extend((before, after, history))
        return {}

    whatif.whatif(stage.platform, OPERATOR, change, work=keep, **options)
    return seen[0], seen[1], seen[2]


def ran(stage: Stage, site: Site, minutes: int, **document: object) -> str:
    """A job that is submitted now, runs for so long and succeeds."""
    site.report()
    (id,) = stage.submit(document)
    stage.schedule()
    stage.pass_time(minutes * 60_000)
    (order,) = site.desired().orders
    site.report(site.says(order, AttemptState.SUCCEEDED, seconds=minutes * 60))
    stage.schedule()
    return id


def test_a_price_of_the_past_is_told_beside_the_real_one(stage: Stage, site: Site):
    for _ in range(3):
        ran(stage, site, 30, resources={"cpus": 4})
    told = ask(stage)
    assert told["jobs"] == 3
    assert told["before"]["cost"]["total"] == {"CNY": 6_00}  # half an hour of 4 cpus, three times
    assert told["after"]["cost"]["total"] == {"CNY": 18_00}
    assert told["before"]["wait_mean_s"] == told["after"]["wait_mean_s"] == 0
    assert (told["from_ms"], told["until_ms"]) == (START, START + 3 * HOUR // 2)
    assert told["before"]["utilisation"] == {"hub": {"cpu": 0.5}}
    assert (told["predicted"], told["left_out"]["never_ran"]) == (0, 0)


def test_a_centre_more_takes_the_wait_away(stage: Stage, site: Site):
    stage.submit({"resources": {"cpus": 8}}, {"resources": {"cpus": 8}})
    for _ in range(2):
        site.report()
        stage.schedule()
        stage.pass_time(HOUR)
        (order,) = site.desired().orders
        site.report(site.says(order, AttemptState.SUCCEEDED, seconds=3600))
    told = ask(stage, Change(centres=[NEW]))
    assert (told["before"]["wait_p99_s"], told["after"]["wait_p99_s"]) == (3600, 0)
    assert told["after"]["cost"]["total"] == {"CNY": 8_00}  # both are cheaper there
    assert set(told["after"]["utilisation"]) == {"hub", "new"}


def test_jobs_without_an_end_get_the_length_of_a_like_one(stage: Stage, site: Site):
    ran(stage, site, 20)
    (waits,) = stage.submit({"name": "waits", "resources": {"cpus": 8}, "infra": "hub"})
    (cancelled,) = stage.submit({"name": "never"})
    jobs.cancel(stage.platform, stage.team, cancelled)
    _, _, history = given(stage, DEARER)
    assert [past.lasts_s for past in history] == [1200.0, 1200.0]
    assert history[1].demand.job == waits
    told = ask(stage)
    assert (told["jobs"], told["predicted"]) == (2, 1)
    assert told["left_out"] == {"never_ran": 1, "length_unknown": 0, "older_than_these": False}


def test_where_nothing_ever_ended_nothing_can_be_said(stage: Stage, site: Site):
    stage.submit()
    told = ask(stage)
    assert (told["jobs"], told["left_out"]["length_unknown"]) == (0, 1)
    assert told["before"]["wait_mean_s"] is None


def test_since_leaves_out_what_is_older(stage: Stage, site: Site):
    ran(stage, site, 10)
    stage.pass_time(HOUR)
    since = stage.now
    late = ran(stage, site, 10)
    assert [past.demand.job for past in given(stage, DEARER, since=since)[2]] == [late]
    assert len(given(stage, DEARER)[2]) == 2
    stage.pass_time(31 * 24 * HOUR)
    assert len(given(stage, DEARER)[2]) == 0


def test_a_demand_is_as_it_was_asked(stage: Stage, site: Site):
    ran(stage, site, 10, resources={"cpus": 4, "memory": 8}, priority="low")
    before, after, (past,) = given(stage, Change(policy={"reserve": 2}))
    assert (past.demand.cpus, past.demand.organisation, past.demand.user) == (4, "acme", "tok-team")
    assert (past.demand.submitted_at, past.count, past.model) == (START, 1, None)
    assert (before.policy.reserve, after.policy.reserve) == (8, 2)
    assert before.offers == after.offers
    assert all(view.silent_s is None for view in before.centres)


def test_what_comes_after_an_array_comes_after_its_elements(stage: Stage, site: Site):
    ran(stage, site, 20)
    whole = {"resources": {"cpus": 8}, "infra": "hub"}
    (array,) = stage.submit({**whole, "array": {"range": "0-2", "parallel": 2}})
    (last,) = stage.submit({**whole, "after": [array]})
    _, _, history = given(stage, DEARER)
    elements = [past.demand.job for past in history if past.array == (array, 2)]
    assert len(elements) == 3
    (after,) = [past.after for past in history if past.demand.job == last]
    assert set(after) == set(elements)


def test_a_policy_may_speak_of_a_centre_that_would_be_added(stage: Stage, site: Site):
    policy = {"centres": {"new": {"pue": 1.2}}}
    given(stage, Change(policy=policy, centres=[NEW]))
    with pytest.raises(Invalid, match=r"centres\.new: there is no centre 'new'"):
        given(stage, Change(policy=policy))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change(), "say what would be otherwise"),
        (Change(policy={"half_lief": "7d"}), "did you mean 'half_life'?"),
        (Change(prices={"hub-mian": "1"}), "prices.hub-mian: there is no offer 'hub-mian': did you mean"),
        (Change(prices={"hub-main": "cheap"}), "prices.hub-main: must be a number such as 0.8"),
        (Change(centres=[{**NEW, "name": "hub"}]), r"centres\[0\].name: there is a centre 'hub' already"),
        (Change(centres=[NEW, NEW]), r"centres\[1\].name: there is a centre 'new' already"),
        (Change(centres=[{**NEW, "offer": []}]), r"centres\[0\]: unknown field 'offer'"),
    ],
)
def test_what_is_wrong_with_a_change(stage: Stage, site: Site, change: Change, says: str):
    with pytest.raises(Invalid, match=says):
        ask(stage, change)


def test_only_an_operator_asks(stage: Stage):
    with pytest.raises(Forbidden):
        whatif.whatif(stage.platform, stage.team, DEARER, work=compare)


def test_it_changes_nothing(stage: Stage, site: Site):
    ran(stage, site, 10)
    before = stage.store.read(lambda tx: (tx.region.version(), tx.events.end()))
    ask(stage, Change(policy={"reserve": 1}, centres=[NEW]))
    assert stage.store.read(lambda tx: (tx.region.version(), tx.events.end())) == before


@pytest.mark.slow
def test_a_process_of_its_own_gives_the_same_answer_and_can_be_given_up(stage: Stage, site: Site):
    ran(stage, site, 10)
    own = whatif.whatif(stage.platform, OPERATOR, DEARER, work=partial(whatif.apart, stop=lambda: False))
    assert own == ask(stage)
    with pytest.raises(whatif.GivenUp):
        whatif.whatif(stage.platform, OPERATOR, DEARER, work=partial(whatif.apart, stop=lambda: True))
