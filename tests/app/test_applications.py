"""A team asks, one operator reviews, another decides; each step is kept."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baygrid.app import applications, projects
from baygrid.app.access import Actor
from baygrid.app.applications import View
from baygrid.app.problems import Forbidden, Invalid, NotFound, Problem, WrongState
from baygrid.core.pricing.allocations import DAY_MS, Source
from baygrid.core.pricing.applications import ApplicationState, Step
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow
from baygrid.ports.records import Cursor
from baygrid.store import open_store
from tests.app.stage import OPERATOR, START, Stage
from tests.app.test_together import together

OTHER = replace(OPERATOR, token_id="tok-other", label="another")
YEAR = 365 * DAY_MS


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def ask(stage: Stage, actor: Actor | None = None, **fields: Any) -> View:
    given: dict[str, Any] = {
        "project": "demo",
        "amount": cny(5000_00),
        "start": None,
        "end": START + YEAR,
        "purpose": "label a million images",
        "renews": None,
    } | fields
    return applications.request(stage.platform, actor or stage.team, **given)


def reviewed(stage: Stage, **fields: Any) -> str:
    id = ask(stage, **fields).row.id
    applications.review(stage.platform, OPERATOR, id, cny(4000_00), "a little less than last year")
    return id


def allocations(stage: Stage) -> list[AllocationRow]:
    return stage.store.read(lambda tx: tx.accounts.allocations("demo"))


def test_from_a_request_to_an_allocation(stage: Stage):
    id = ask(stage, start=START + DAY_MS).row.id
    stage.pass_time(1000)
    applications.review(stage.platform, OPERATOR, id, cny(4000_00), "less")
    stage.pass_time(1000)
    view = applications.approve(stage.platform, OTHER, id, None, "as recommended")
    row = view.row
    assert (row.state, row.recommended, row.approved) == (ApplicationState.APPROVED, 4000_00, 4000_00)
    made = allocations(stage)[-1]
    it = made.allocation
    assert (it.id, made.application, made.made_by) == (row.allocation, id, "tok-other")
    assert (it.amount, it.source, it.purpose) == (cny(4000_00), Source.GRANT, "label a million images")
    assert (it.start, it.end, made.begun) == (START + DAY_MS, START + YEAR, False)
    assert applications.application(stage.platform, stage.team, id) == view
    assert [(it.step, it.by, it.amount, it.words, it.at - START) for it in view.steps] == [
        (Step.REQUEST, "tok-team", 5000_00, "label a million images", 0),
        (Step.REVIEW, "tok-operator", 4000_00, "less", 1000),
        (Step.APPROVE, "tok-other", 4000_00, "as recommended", 2000),
    ]
    events = [e for _, e in stage.store.read(lambda tx: tx.events.after(Cursor(), 100))]
    told = [e for e in events if e.kind.startswith("application-")]
    assert [e.kind.removeprefix("application-") for e in told] == ["requested", "reviewed", "approved"]
    assert told[-1].data == {"application": id, "minor": 4000_00, "allocation": it.id}
    stage.pass_time(DAY_MS)
    stage.schedule()
    assert projects.project(stage.platform, stage.team, "demo").granted == 5000_00


def test_an_approved_period_that_has_begun_counts_at_once(stage: Stage):
    id = reviewed(stage)
    stage.pass_time(DAY_MS)
    applications.approve(stage.platform, OTHER, id, cny(1_00), "a start")
    made = allocations(stage)[-1]
    assert (made.allocation.amount, made.allocation.start, made.begun) == (cny(1_00), stage.now, True)
    assert projects.project(stage.platform, stage.team, "demo").granted == 1001_00


def test_who_reviews_may_not_decide_and_nobody_decides_what_they_asked(stage: Stage):
    id = reviewed(stage)
    for decide in (
        partial(applications.approve, stage.platform, OPERATOR, id, None, "mine"),
        partial(applications.refuse, stage.platform, OPERATOR, id, "mine"),
    ):
        with pytest.raises(Forbidden, match=r"who has reviewed .* let another operator decide"):
            decide()
    own = reviewed(stage, actor=OTHER)
    with pytest.raises(Forbidden, match=r"who has asked .* let another operator decide"):
        applications.approve(stage.platform, OTHER, own, None, "mine")
    assert len(allocations(stage)) == 1
    assert applications.application(stage.platform, stage.team, id).row.state is ApplicationState.REVIEWED


def test_refused_and_withdrawn(stage: Stage):
    refused = applications.refuse(stage.platform, OTHER, reviewed(stage), "there is none left")
    assert (refused.row.state, refused.steps[-1].words) == (ApplicationState.REFUSED, "there is none left")
    gone = applications.withdraw(stage.platform, stage.team, ask(stage).row.id, "")
    assert gone.row.state is ApplicationState.WITHDRAWN
    late = applications.withdraw(stage.platform, stage.team, reviewed(stage), "we have our own now")
    assert late.row.state is ApplicationState.WITHDRAWN
    assert len(allocations(stage)) == 1


def test_what_is_not_possible_now_says_what_is(stage: Stage):
    id = ask(stage).row.id
    with pytest.raises(WrongState, match="approve is not possible in state REQUESTED: it is to be reviewed"):
        applications.approve(stage.platform, OTHER, id, None, "now")
    applications.review(stage.platform, OPERATOR, id, cny(0), "no")
    with pytest.raises(WrongState, match="review is not possible in state REVIEWED: it is reviewed: decide"):
        applications.review(stage.platform, OTHER, id, cny(1), "yes")
    with pytest.raises(Invalid, match="must be more than nothing"):
        applications.approve(stage.platform, OTHER, id, None, "as recommended")
    applications.refuse(stage.platform, OTHER, id, "as recommended")
    with pytest.raises(WrongState, match=r"withdraw is not possible in state REFUSED: .* make a new one"):
        applications.withdraw(stage.platform, stage.team, id, "")
    over = reviewed(stage, end=START + DAY_MS)
    stage.pass_time(DAY_MS)
    with pytest.raises(WrongState, match="its period is over: refuse it"):
        applications.approve(stage.platform, OTHER, over, None, "late")
    assert len(allocations(stage)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": Money(5, "HKD")}, "amount: project 'demo' is kept in CNY, not HKD"),
        ({"amount": cny(0)}, "amount: must be more than nothing"),
        ({"end": START}, "to: must be after now"),
        ({"start": START + 5, "end": START + 5}, "to: must be after now, and after the beginning"),
        ({"purpose": " "}, "purpose: is empty"),
        ({"renews": "allocation-99"}, "renews: there is no allocation 'allocation-99'"),
    ],
)
def test_what_cannot_be_asked_for(stage: Stage, fields: dict[str, Any], said: str):
    with pytest.raises(Invalid, match=said):
        ask(stage, **fields)
    assert applications.applications(stage.platform, stage.team, None, None, 9) == []


def test_what_cannot_be_recommended_or_approved(stage: Stage):
    id = ask(stage).row.id
    review = partial(applications.review, stage.platform, OPERATOR, id)
    for amount, said in ((cny(5000_01), "at most 5000.00 CNY"), (cny(-1), "at least nothing")):
        with pytest.raises(Invalid, match=said):
            review(amount, "no")
    with pytest.raises(Invalid, match="note: is empty"):
        review(cny(1), "")
    review(cny(4000_00), "fine")
    approve = partial(applications.approve, stage.platform, OTHER, id)
    for amount, said in ((cny(5000_01), "at most 5000.00 CNY"), (Money(1, "JPY"), "kept in CNY")):
        with pytest.raises(Invalid, match=said):
            approve(amount, "no")
    approve(cny(5000_00), "all of it")


def test_a_renewal_names_what_it_follows(stage: Stage):
    first = allocations(stage)[0].allocation.id
    assert ask(stage, renews=first).row.renews == first


def test_each_team_sees_its_own(stage: Stage):
    rival = stage.add_project("other")
    mine, theirs = ask(stage).row, ask(stage, actor=rival, project="other").row
    listed = partial(applications.applications, stage.platform)
    assert listed(stage.team, None, None, 9) == [mine]
    assert listed(OPERATOR, None, None, 9) == [theirs, mine]
    assert listed(OPERATOR, "other", None, 9) == [theirs]
    assert listed(OPERATOR, None, theirs.id, 9) == [mine]
    for refused in (
        partial(applications.application, stage.platform, rival, mine.id),
        partial(applications.withdraw, stage.platform, rival, mine.id, ""),
        partial(ask, stage, rival),
        partial(listed, rival, "demo", None, 9),
        partial(listed, OPERATOR, "nobodys", None, 9),
    ):
        with pytest.raises(NotFound):
            refused()
    for forbidden in (
        partial(applications.review, stage.platform, stage.team, mine.id, cny(1), "please"),
        partial(applications.approve, stage.platform, stage.team, mine.id, None, "please"),
        partial(applications.refuse, stage.platform, stage.team, mine.id, "please"),
    ):
        with pytest.raises(Forbidden):
            forbidden()


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_sixteen_decide_at_once_and_one_of_them_has(url: str, request: pytest.FixtureRequest, tmp_path: Path):
    where = f"sqlite:///{tmp_path}/a.db" if url == "sqlite" else request.getfixturevalue("postgres_url")
    stage = Stage(open_store(where))
    id = reviewed(stage)
    told: list[str] = []

    def decide(number: int) -> None:
        actor = replace(OTHER, token_id=f"tok-{number}")
        try:
            if number % 4 == 3:
                applications.withdraw(stage.platform, stage.team, id, "")
            elif number % 2:
                applications.refuse(stage.platform, actor, id, "no")
            else:
                applications.approve(stage.platform, actor, id, None, "yes")
        except Problem as problem:
            told.append(problem.code)

    together(*(partial(decide, number) for number in range(16)))
    assert told == ["conflict"] * 15
    view = applications.application(stage.platform, OPERATOR, id)
    assert view.row.state.final
    assert len(view.steps) == 3
    approved = view.row.state is ApplicationState.APPROVED
    assert len(allocations(stage)) == 1 + approved
    granted = projects.project(stage.platform, OPERATOR, "demo").granted
    assert granted == 1000_00 + approved * 4000_00
    stage.store.close()
