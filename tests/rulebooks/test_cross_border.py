"""Every case beside the tables of cross-border law, and that whatever is altered there makes a case fail."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml

from baygrid.core.law.conditions import Condition, Every, Facts, Is, Not, Some
from baygrid.core.law.decisions import Decision
from baygrid.core.law.parameters import Lapsed
from baygrid.core.law.plan import NotLoaded, Plan
from baygrid.core.law.tables import Rule
from baygrid.rulebooks.cross_border import NotPublished, due, read_facts
from baygrid.rulebooks.cross_border.book import NAMES, Book, Conditions, book, conditions, read, text
from baygrid.rulebooks.cross_border.deciding import counted_since
from baygrid.rulebooks.cross_border.lists import read_lists
from baygrid.rulebooks.written import RulebookError
from tests.rulebooks.altered import Way, by_a_unit, leaves, put, without
from tests.rulebooks.cross_border import DAYS, LISTS, VALUES, nested, said

KEYS = {
    "says", "as_of", "facts", "lists", "rule", "outcome", "basis", "options", "review", "missing", "before",
    "then", "articles", "told", "untold", "refused", "due", "counted_since",
}  # fmt: skip

Case = dict[str, Any]


def cases(direction: str) -> list[Case]:
    """Each with the base's facts, read."""
    of = yaml.safe_load(text(f"{NAMES[direction]}/cases.yaml"))
    return [case | {"facts": read_facts(nested(of["base"] | case.get("facts", {})))} for case in of["cases"]]


CASES = {direction: cases(direction) for direction in NAMES}


class Tried:
    """A book, true or altered, and what cases find wrong with it."""

    def __init__(self, tried: Book) -> None:
        self._book = tried
        self._plans: dict[tuple[date, str], Plan] = {}

    def decide(self, case: Case) -> Decision:
        day, lists = case["as_of"], case.get("lists", [])
        key = (day, str(lists))
        if key not in self._plans:
            self._plans[key] = Plan(self._book.table, day, read_lists({"lists": lists}).on(day))
        return self._plans[key].decide(case["facts"])

    def wrong(self, case: Case) -> str:
        """What is not as the case says, or nothing."""
        try:
            decision = self.decide(case)
            late = self._late(case, decision)
        except (NotLoaded, Lapsed) as refused:
            return "" if case["outcome"] == "not loaded" else str(refused)
        found = said(decision)
        for key in ("outcome", "rule", "basis", "options", "review", "missing", "before", "then"):
            if key in case and found[key] != case[key]:
                return f"{key}: {found[key]}"
        for of, articles in case.get("articles", {}).items():
            if found["articles"].get(of) != articles:
                return f"{of}: {found['articles'].get(of)}"
        if case.get("told", "") not in found["told"]:
            return f"told: {found['told']}"
        if case.get("untold", "\0") in found["told"]:
            return f"told: {found['told']}"
        if ("refused" in case or found["refused"]) and case["refused"] not in (found["refused"] or ""):
            return f"refused: {found['refused']}"
        return late

    def _late(self, case: Case, decision: Decision) -> str:
        duties = {duty.id: duty for duty in decision.obligations}
        for of, clock in case.get("due", {}).items():
            if of not in duties or duties[of].clock is None:
                return f"{of} has no clock"
            try:
                last = str(due(duties[of], clock["from"]))
            except NotPublished:
                last = "not published"
            if last != str(clock["last"]):
                return f"{of}: {last}"
        if "counted_since" in case and counted_since(case["as_of"], self._book) != case["counted_since"]:
            return f"counted since {counted_since(case['as_of'], self._book)}"
        return ""


@pytest.mark.parametrize(
    ("direction", "case"),
    [(direction, case) for direction, of in CASES.items() for case in of],
    ids=lambda it: it["says"] if isinstance(it, dict) else None,
)
def test_the_case_holds(direction: str, case: Case):
    assert case.keys() <= KEYS
    assert {"says", "as_of", "outcome"} <= case.keys()
    assert not Tried(book(direction)).wrong(case)


def document(direction: str) -> Any:
    """The rulebook as it is written: all numbers and days as text."""
    return yaml.load(text(f"{NAMES[direction]}/rulebook.yaml"), yaml.BaseLoader)


def lives(direction: str, altered: Book) -> bool:
    tried = Tried(altered)
    return not any(tried.wrong(case) for case in reversed(CASES[direction]))


@pytest.mark.parametrize("direction", NAMES)
def test_what_is_not_altered_lives(direction: str):
    assert lives(direction, read(direction, document(direction), conditions(direction)))


def samples(direction: str, count: int) -> list[tuple[date, Facts]]:
    """Facts of every case, and some at random with a fifth of them unknown."""
    rng = random.Random(7)
    tried = [(case["as_of"], case["facts"]) for case in CASES[direction]]
    for n in range(count):
        drawn = {name: rng.choice(values) for name, values in VALUES.items() if n % 2 or rng.random() < 0.8}
        tried.append((rng.choice(DAYS), read_facts(nested(drawn | {"direction": direction}))))
    return [(day, facts) for day, facts in tried if day in book(direction).table.loaded]


def plans(direction: str, law: Book) -> dict[date, Plan]:
    """Of each day of the samples, with every list loaded."""
    days = {day for day, _ in samples(direction, 300)}
    return {day: Plan(law.table, day, LISTS.on(day)) for day in days}


def caught(direction: str, altered: Any, code: Conditions | None = None) -> bool:
    """By a case, or as the rulebook contradicts itself."""
    try:
        return not lives(direction, read(direction, altered, code or conditions(direction)))
    except RulebookError:
        return True


def idle(direction: str, altered: Any, code: Conditions | None = None) -> bool:
    """Whether it changes no decision at all: it is there for who reads it ("and the data are on it")."""
    law = read(direction, altered, code or conditions(direction))
    return decisions(direction, law) == decisions(direction, book(direction))


def decisions(direction: str, law: Book) -> list[str]:
    """Of many facts, without the trace."""
    made = plans(direction, law)
    found = [made[day].decide(facts).to_json() for day, facts in samples(direction, 1000)]
    return [json.dumps({**one, "trace": []}) for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("direction", NAMES)
def test_a_number_or_a_day_that_is_off_by_one_makes_a_case_fail(direction: str):
    whole = document(direction)
    altered = [
        (f"{way} = {changed}", put(whole, way, changed))
        for way, value in leaves(whole)
        if way[-1] in ("from", "to", "value")
        for changed in by_a_unit(value)
    ]
    assert len(altered) > 10
    lived = [(what, one) for what, one in altered if not caught(direction, one)]
    assert [what for what, one in lived if "value" in what or not idle(direction, one)] == []


def pieces(whole: Any) -> Iterator[tuple[Way, Any]]:
    """Without each outcome's articles, obligations, ways, and what obligations and options are."""
    for name, rule in whole["rules"].items():
        yield ("rules", name, "outcome"), put(whole, ("rules", name, "outcome"), "NEEDS_FACT")
        for key in ("basis", "obligations", "options", "review"):
            for index in range(len(rule.get(key, []))):
                way: Way = ("rules", name, key, index)
                yield way, without(whole, way)
    for name, option in whole["options"].items():
        for index in range(len(option["obligations"])):
            way = ("options", name, "obligations", index)
            yield way, without(whole, way)
    for name, obligation in whole["obligations"].items():
        gate: Way = ("obligations", name, "first_byte")
        yield gate, without(whole, gate) if "first_byte" in obligation else put(whole, gate, "true")
        if "clock" in obligation:
            yield ("obligations", name, "clock"), without(whole, ("obligations", name, "clock"))
        if calendar := obligation.get("clock", {}).get("calendar"):
            clock: Way = ("obligations", name, "clock", "calendar")
            yield clock, put(whole, clock, "hk" if calendar == "cn" else "cn")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("direction", NAMES)
def test_a_piece_that_is_missing_makes_a_case_fail(direction: str):
    altered = list(pieces(document(direction)))
    assert len(altered) > 10
    assert [way for way, one in altered if not caught(direction, one)] == []


def weaker(condition: Condition) -> Iterator[Condition]:
    """With one part or value left out, or one part turned round."""
    match condition:
        case Is(fact, values):
            for value in values if len(values) > 1 else ():
                yield Is(fact, tuple(it for it in values if it != value))
        case Not(of):
            yield of
            yield from (Not(it) for it in weaker(of))
        case Every(parts=parts) | Some(parts=parts):
            for n, part in enumerate(parts):
                yield type(condition)(*parts[:n], *parts[n + 1 :])
                yield from (type(condition)(*parts[:n], it, *parts[n + 1 :]) for it in weaker(part))


@pytest.mark.slow
@pytest.mark.parametrize("direction", NAMES)
def test_a_condition_that_is_weaker_makes_a_case_fail(direction: str):
    code, whole = conditions(direction), document(direction)
    altered = {
        f"{field.name} {name}: {other}": dataclasses.replace(code, **{field.name: {**of, name: other}})
        for field in dataclasses.fields(Conditions)
        for of in [getattr(code, field.name)]
        for name, condition in of.items()
        for other in weaker(condition)
    }
    assert len(altered) > 10
    lived = [(what, one) for what, one in altered.items() if not caught(direction, whole, one)]
    assert [what for what, one in lived if not idle(direction, whole, one)] == []


@pytest.mark.slow
@pytest.mark.parametrize("direction", NAMES)
def test_rules_in_another_order_make_a_case_fail(direction: str):
    """A rule that would hold, too, where an earlier one decides is tried before that."""
    table = book(direction).table
    place = {rule.id: n for n, rule in enumerate(table.rules)}
    true = plans(direction, book(direction))
    pairs = set()
    for day, facts in samples(direction, 3000):
        first, *later = [it.rule.id for it in true[day].rulings if it.condition.test(facts)] or [""]
        pairs |= {(first, other) for other in later}
    assert len(pairs) > 5
    lived = []
    for one, other in sorted(pairs):
        rules: list[Rule] = list(table.rules)
        rules.insert(place[one], rules.pop(place[other]))
        altered = dataclasses.replace(book(direction), table=dataclasses.replace(table, rules=tuple(rules)))
        if lives(direction, altered):
            lived.append(f"{other} before {one}")
    assert lived == []
