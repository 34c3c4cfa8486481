"""Whether a contract may be read: by state, dates, the pilot, the law of the day and what is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.contracts import Side, State, Suspension
from baygrid.core.data.permission import Decided, Obligation, Pilot, Record, Standing, permitted
from baygrid.core.days import beginning

TODAY = date(2027, 1, 15)
NOW = beginning(TODAY)
ASSESSED = Obligation("assessment", "the security assessment is passed", "Provisions 7", True, years=3)
CONSENT = Obligation("consent", "separate consent of each person", "PIPL 39", True)
FILED = Obligation("filing", "the contract is filed", "Measures 7", False, due=date(2027, 1, 20))
FREE = Decided("FREE", basis=("Provisions 3",))
CONTRACT = Decided(
    "STANDARD_CONTRACT_OR_CERTIFICATION", ("sc", "cert"), ("Provisions 8",), obligations=(CONSENT, FILED)
)
ASSESSMENT = Decided("SECURITY_ASSESSMENT", basis=("Provisions 7(2)",), obligations=(ASSESSED,))
GOOD = Standing(State.FINALIZED, (), NOW - 1, NOW + 1, "sc", {})


def recorded(day: date = TODAY) -> Record:
    return Record("Li Hua", day, "ab" * 32, None)


def code(it: Standing, law: Decided, now: int = NOW) -> str | None:
    reason = permitted(it, law, now)
    return None if reason is None else reason.code


@given(st.sampled_from(State))
def test_only_a_finalised_contract_is_read(state: State):
    expected = None if state is State.FINALIZED else "contract-not-finalized"
    assert code(replace(GOOD, state=state), FREE) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [(NOW - 2, "contract-not-begun"), (NOW - 1, None), (NOW, None), (NOW + 1, "contract-expired")],
)
def test_a_contract_is_read_from_its_first_moment_to_before_its_end(at: int, expected: str | None):
    assert code(GOOD, FREE, at) == expected
    served = replace(GOOD, start=0, until=None, scope="loans", pilot=Pilot(NOW - 1, NOW + 1, ("loans",)))
    assert code(served, FREE, at) == (
        None if expected is None else expected.replace("contract", "pilot").replace("expired", "ended")
    )


@pytest.mark.parametrize("scope", [None, "insurance"])
def test_a_pilot_institution_serves_within_its_scope_only(scope: str | None):
    pilot = Pilot(NOW, NOW + 1, ("loans", "cards"))
    assert code(replace(GOOD, scope="cards", pilot=pilot), FREE) is None
    assert code(replace(GOOD, scope=scope, pilot=pilot), FREE) == "pilot-out-of-scope"


@given(st.sampled_from(Side))
def test_whoever_suspends_stops_it_and_is_named(side: Side):
    it = replace(GOOD, suspensions=(Suspension(side, "asked", "a leak is looked into", NOW),))
    reason = permitted(it, FREE, NOW)
    assert reason is not None
    assert reason.code == "contract-suspended"
    assert "a leak is looked into" in reason.text
    assert side.value in reason.text


@pytest.mark.parametrize(
    ("law", "code_", "says"),
    [
        (Decided("PROHIBITED", basis=("PIPL 42",)), "law-prohibits", "PIPL 42"),
        (Decided("NEEDS_FACT", missing=("data.important",)), "law-needs-fact", "data.important"),
        (ASSESSMENT, "obligation-open", "Provisions 7"),
        (Decided("SECURITY_ASSESSMENT", basis=("PIPL 40",)), "law-not-loaded", "PIPL 40"),
        (Decided("SOMETHING_NEW"), "law-not-loaded", "SOMETHING_NEW"),
        (CONTRACT, "obligation-open", "PIPL 39"),
    ],
)
def test_what_the_law_has_against_it_names_the_article(law: Decided, code_: str, says: str):
    reason = permitted(GOOD, law, NOW)
    assert reason is not None
    assert (reason.code, says in reason.text) == (code_, True)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [(None, "law-route-not-chosen"), ("gba_sc", "law-route-closed"), ("sc", None), ("cert", None)],
)
def test_one_of_the_routes_must_be_chosen_and_open(choice: str | None, expected: str | None):
    assert code(replace(GOOD, choice=choice, records={"consent": recorded()}), CONTRACT) == expected


def test_a_standard_contract_does_not_do_where_an_assessment_is_asked_for():
    it = replace(GOOD, records={"consent": recorded(), "filing": recorded()})
    assert code(it, CONTRACT) is None
    assert code(it, ASSESSMENT) == "obligation-open"
    assert code(replace(it, records={"assessment": recorded()}), ASSESSMENT) is None


def test_a_result_holds_for_three_years_to_the_day():
    it = replace(GOOD, until=None, records={"assessment": recorded(date(2024, 2, 29))})
    for day, expected in ((date(2027, 2, 28), None), (date(2027, 3, 1), "obligation-lapsed")):
        assert code(it, ASSESSMENT, beginning(day)) == expected
    it = replace(it, records={"assessment": recorded(date(2024, 5, 6))})
    for day, expected in ((date(2027, 5, 5), None), (date(2027, 5, 6), "obligation-lapsed")):
        assert code(it, ASSESSMENT, beginning(day)) == expected


def test_what_has_a_clock_is_in_the_way_after_its_day():
    it = replace(GOOD, until=None, records={"consent": recorded()})
    last = beginning(date(2027, 1, 21)) - 1
    assert code(it, CONTRACT, last) is None
    assert code(it, CONTRACT, last + 1) == "obligation-overdue"
    assert code(replace(it, records={**it.records, "filing": recorded()}), CONTRACT, last + 1) is None


@given(
    st.sampled_from([CONTRACT, ASSESSMENT, FREE]),
    st.sets(st.sampled_from(["consent", "filing", "assessment"])),
)
def test_nothing_is_read_before_all_that_comes_first_is_recorded(law: Decided, done: set[str]):
    it = replace(GOOD, records={name: recorded() for name in done})
    first = {one.id for one in law.obligations if one.first}
    assert (code(it, law) is None) == (first <= done)


def test_a_record_comes_back_as_it_went():
    it = Record("Li Hua", TODAY - timedelta(3), None, "CAC 2027-3", "by post")
    assert Record.of_json(it.to_json()) == it
