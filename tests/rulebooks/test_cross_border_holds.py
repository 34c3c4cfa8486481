"""What is so of every decision: unknown facts are asked for exactly where they matter, and never free; more
persons never are freer; nothing raises; the same facts give the same bytes."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.law.decisions import NEEDS_FACT, Decision
from baygrid.core.reading import DocumentError
from baygrid.rulebooks.cross_border import NotLoaded, Outcome, decide, lines
from baygrid.rulebooks.cross_border.book import PASSES, facts
from baygrid.rulebooks.cross_border.lists import NONE, Lists, read_lists
from tests.rulebooks.cross_border import DAYS, LISTS, VALUES, nested

STRICTER = [
    Outcome.FREE, Outcome.EXEMPT, Outcome.CONDITION, Outcome.PRESCRIBED_CONSENT,
    Outcome.STANDARD_CONTRACT_OR_CERTIFICATION, Outcome.SECURITY_ASSESSMENT, Outcome.PROHIBITED,
    Outcome.NEEDS_FACT,
]  # fmt: skip
"""Each is at least as strict as those before it."""

days = st.sampled_from(DAYS)
directions = st.sampled_from(["cn_out", "hk_out"])
whole = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
some = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
listed = st.sampled_from([NONE, LISTS])


def freer(one: str, other: str) -> bool:
    return STRICTER.index(Outcome(one)) < STRICTER.index(Outcome(other))


def decided(flat: dict[str, Any], direction: str, day: date, lists: Lists = NONE) -> Decision:
    return decide(nested(flat | {"direction": direction}), day, lists)


@cache
def silent() -> frozenset[str]:
    """Facts of which silence means something, and the choice, which is no fact of the transfer."""
    return frozenset(facts()[1]) | {"choice"}


@settings(max_examples=300, deadline=None)
@given(whole, directions, days, listed)
def test_whatever_is_known_decides(known: dict[str, Any], direction: str, day: date, lists: Lists):
    decision = decided(known, direction, day, lists)
    assert decision.outcome != NEEDS_FACT
    assert decision.rule
    assert decision.basis
    assert decision.missing == ()
    json.dumps(decision.to_json())


@settings(max_examples=300, deadline=None)
@given(some, directions, days, listed)
def test_who_is_asked_can_answer(known: dict[str, Any], direction: str, day: date, lists: Lists):
    """Nothing that is known is asked for; when what is asked is told a rule decides, and only the way that
    was chosen may ask once more."""
    decision = decided(known, direction, day, lists)
    for _ in range(2):
        assert (decision.outcome == NEEDS_FACT) == bool(decision.missing)
        assert not set(decision.missing) & known.keys()
        known = known | {name: VALUES[name][0] for name in decision.missing}
        decision = decided(known, direction, day, lists)
    assert decision.outcome != NEEDS_FACT


@settings(max_examples=300, deadline=None)
@given(whole, st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4), directions, days, listed)
def test_unknown_is_asked_exactly_where_it_matters(
    known: dict[str, Any], hidden: set[str], direction: str, day: date, lists: Lists
):
    """Beside all that the hidden facts can be. Where it passes freely, the rule must be the same, too."""
    known = {name: value for name, value in known.items() if name != "choice"}
    hidden -= silent()
    left = {name: value for name, value in known.items() if name not in hidden}
    decision = decided(left, direction, day, lists)
    could = {
        (it.outcome, it.rule if it.outcome in PASSES else "")
        for values in product(*(VALUES[name] for name in sorted(hidden)))
        for it in [decided(left | dict(zip(sorted(hidden), values, strict=True)), direction, day, lists)]
    }
    if len(could) == 1:
        assert decision.outcome == could.pop()[0]
    else:
        assert decision.outcome == NEEDS_FACT


FACTS_OF_IT = sorted(set(VALUES) - {"choice"})
"""The choice is no fact of the transfer: who chooses a way is asked for what that way needs."""


def no_freer(before: Decision, after: Decision, hidden: str) -> bool:
    """Without one fact. A question may become an answer only where that fact's silence is one, the stricter:
    never one that passes freely."""
    if before.outcome == NEEDS_FACT and hidden in facts()[1]:
        return after.outcome not in PASSES
    return not freer(after.outcome, before.outcome)


@settings(max_examples=500, deadline=None)
@given(some, st.sampled_from(FACTS_OF_IT), directions, days, listed)
def test_less_is_known_and_nothing_is_freer(
    known: dict[str, Any], hidden: str, direction: str, day: date, lists: Lists
):
    less = {name: value for name, value in known.items() if name != hidden}
    before, after = decided(known, direction, day, lists), decided(less, direction, day, lists)
    assert no_freer(before, after, hidden)
    if hidden in silent() or after.outcome != before.outcome:
        return
    assert set(after.options) <= set(before.options)
    assert set(after.review) <= set(before.review)
    if (after.options, after.review) == (before.options, before.review):
        assert gates(before) <= gates(after)


PERSONS = {
    "recipient.is_foreign_judicial_or_enforcement": False, "recipient.on_art42_list": False, "data.pi": True,
    "data.spi": False, "data.important": "no", "data.core": False, "data.origin": "domestic",
    "exporter.ciio": False, "exporter.state_organ": False, "ground": "other", "exporter.ftz_zone": "none",
    "recipient.zone": "none", "ytd_after.pi_nonsensitive": 1, "ytd_after.spi": 0,
}  # fmt: skip
JUDICIAL = {"recipient.is_foreign_judicial_or_enforcement": True, "recipient.approved_by_authority": True}


@pytest.mark.parametrize(
    ("known", "hidden", "answers"),
    [
        # Silence is the stricter answer: what was asked beside it decides nothing any more.
        (PERSONS | JUDICIAL | {"ground": None}, "recipient.approved_by_authority", "PROHIBITED"),
        (
            PERSONS | {"data.anonymised": True, "data.important": None, "ytd_after.spi": 10_000},
            "data.anonymised",
            "SECURITY_ASSESSMENT",
        ),
    ],
)
def test_where_silence_is_the_stricter_answer_a_question_may_become_it(
    known: dict[str, Any], hidden: str, answers: str
):
    before, after = decided(known, "cn_out", DAYS[-2]), decided(known | {hidden: None}, "cn_out", DAYS[-2])
    assert (before.outcome, after.outcome) == (NEEDS_FACT, answers)
    assert no_freer(before, after, hidden)
    assert not no_freer(before, after, "exporter.ciio"), "of no other fact"
    assert not no_freer(before, decided(PERSONS, "cn_out", DAYS[-2]), hidden), "nor where it passes"


@pytest.mark.parametrize(
    ("known", "hidden", "taken_for"),
    [
        (PERSONS | {"exporter.ciio": True}, "exporter.ciio", False),
        (PERSONS | {"data.important": "notified"}, "data.important", "no"),
        (PERSONS | {"data.important": None}, "recipient.on_art42_list", True),
    ],
)
def test_a_law_that_took_silence_for_an_answer_would_be_found(
    known: dict[str, Any], hidden: str, taken_for: object
):
    before, after = decided(known, "cn_out", DAYS[-2]), decided(known | {hidden: None}, "cn_out", DAYS[-2])
    assert no_freer(before, after, hidden)
    wrong = decided(known | {hidden: taken_for}, "cn_out", DAYS[-2])
    assert not no_freer(before, wrong, hidden)


def gates(decision: Decision) -> set[str]:
    return {duty.id for duty in decision.obligations if duty.first_byte}


@settings(max_examples=300, deadline=None)
@given(whole, st.integers(0, 20_000_000), days, listed)
@pytest.mark.parametrize("count", [name for name, values in VALUES.items() if 9_999 in values])
def test_more_persons_are_never_freer(count: str, known: dict[str, Any], more: int, day: date, lists: Lists):
    before = decided(known, "cn_out", day, lists)
    after = decided(known | {count: known[count] + more}, "cn_out", day, lists)
    assert not freer(after.outcome, before.outcome)


@settings(max_examples=200, deadline=None)
@given(whole, days, listed)
def test_a_choice_is_open_or_refused_with_a_reason(known: dict[str, Any], day: date, lists: Lists):
    decision = decided(known, "cn_out", day, lists)
    open_ = decision.options + decision.review
    assert (known["choice"] in open_) == (not decision.refused)
    chosen = {duty.option for duty in decision.obligations} - {""}
    assert chosen <= ({known["choice"]} if known["choice"] in open_ else set(open_))


@settings(max_examples=100, deadline=None)
@given(some, directions, days, st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_bytes(known: dict[str, Any], direction: str, day: date, rng: Any):
    names = list(known)
    rng.shuffle(names)
    one = decided(known, direction, day).to_json()
    other = decided({name: known[name] for name in names}, direction, day).to_json()
    assert json.dumps(one) == json.dumps(other)


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "pi", "direction", "exporter", "cn_out", "ytd_after"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, st.dates())
def test_any_document_is_decided_or_refused_in_words(document: Any, day: date):
    try:
        told = decide(document, day).outcome
    except (DocumentError, NotLoaded) as refused:
        told = str(refused)
    assert told


def test_a_mistake_is_told_with_its_place():
    with pytest.raises(DocumentError) as refused:
        decide({"direction": "up", "data": {"pi": "yes", "colour": 1}, "exporter": 3}, DAYS[-1])
    assert [problem.path for problem in refused.value.problems] == [
        "direction",
        "data.pi",
        "data.colour",
        "exporter",
    ]


def test_without_a_direction_that_is_asked():
    assert decide({}, DAYS[-1]).missing == ("direction",)


def test_the_lines_that_counts_cross_are_those_of_the_day():
    assert [(it.count, it.limit) for it in lines(date(2026, 11, 22))] == [
        ("ytd_after.pi_nonsensitive", 100_000),
        ("ytd_after.pi_nonsensitive", 1_000_000),
        ("ytd_after.spi", 1),
        ("ytd_after.spi", 10_000),
    ]


def test_a_list_must_say_what_it_is():
    with pytest.raises(DocumentError) as refused:
        read_lists({"lists": [{"kind": "ftz", "zone": "Qianhai Shekou", "reference": ""}, {"kind": "x"}]})
    paths = {problem.path for problem in refused.value.problems}
    assert paths == {"lists.0.zone", "lists.0.reference", "lists.1.kind", "lists.1.zone", "lists.1.reference"}
