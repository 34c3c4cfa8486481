"""Every case beside every clause, and that a number or a day that is off by one unit makes a case fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from baygrid.core.law.clauses import Finding, Status, find
from baygrid.core.reading import DocumentError
from baygrid.rulebooks.measures.applicant import applicant
from baygrid.rulebooks.measures.book import NAMES, Rulebook, formulas, read, rulebook, text
from baygrid.rulebooks.written import RulebookError
from tests.rulebooks.altered import Way, at, by_a_unit, put, without


def document(name: str) -> Any:
    """The rulebook as it is written: all numbers and days as text."""
    return yaml.load(text(name, "rulebook.yaml"), yaml.BaseLoader)


CASES = [
    (name, clause, of.get("base", {}), case)
    for name in NAMES
    for clause, of in yaml.safe_load(text(name, "cases.yaml")).items()
    for case in of["cases"]
]


def found(book: Rulebook, clause: str, base: dict[str, Any], case: dict[str, Any]) -> Finding:
    given = base | case.get("facts", {})
    whole = {**given, "claimed": case.get("claimed"), "pools": case.get("pools")}
    one = next(one for one in book.clauses if one.id == clause)
    return find(one, applicant(whole, book), book.parameters, case["as_of"])


def wrong(book: Rulebook, clause: str, base: dict[str, Any], case: dict[str, Any]) -> str:
    """What is not as the case says, or nothing."""
    try:
        seen = found(book, clause, base, case)
    except DocumentError as refused:
        return str(refused)
    if "ceiling" in case and (seen.status is not Status.ELIGIBLE or str(seen.ceiling) != case["ceiling"]):
        return f"{seen.status}, {seen.ceiling}: {seen.reasons}"
    if "missing" in case and (seen.status is not Status.MISSING_FACTS or [*seen.missing] != case["missing"]):
        return f"{seen.status}, {seen.missing}"
    if "status" in case and seen.status != case["status"]:
        return f"{seen.status}, {seen.ceiling}: {seen.reasons}"
    if "told" in case and not any(case["told"] in reason for reason in seen.reasons):
        return f"{seen.reasons}"
    return ""


@pytest.mark.parametrize(
    ("name", "clause", "base", "case"),
    CASES,
    ids=lambda it: it["says"] if isinstance(it, dict) and "says" in it else None,
)
def test_the_case_holds(name: str, clause: str, base: dict[str, Any], case: dict[str, Any]):
    assert case.keys() <= {
        "says",
        "as_of",
        "facts",
        "claimed",
        "pools",
        "ceiling",
        "missing",
        "status",
        "told",
    }
    assert case.keys() & {"ceiling", "missing", "status"}
    assert not wrong(rulebook(name), clause, base, case)


def test_every_clause_has_cases():
    for name in NAMES:
        tried = {clause for book, clause, _, _ in CASES if book == name}
        loaded = {clause.id for clause in rulebook(name).clauses if clause.formula is not None}
        assert tried >= loaded, name


def mutants(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number and day of the parameters and of the clauses that are loaded, and what else their YAML
    says."""
    whole = document(name)
    places: list[Way] = [
        ("parameters", parameter, index, key)
        for parameter, values in whole.get("parameters", {}).items()
        for index, value in enumerate(values)
        for key in ("value", "from", "to")
        if key in value
    ]
    places += [("validity", key) for key in whole.get("validity", {}) if formulas(name)]
    places += [
        ("clauses", clause, axis, key)
        for clause, of in whole["clauses"].items()
        for axis in ("validity", "support", "window")
        for key in of.get(axis, {})
        if clause in formulas(name)
    ]
    for clause, of in whole["clauses"].items():
        if clause in formulas(name):
            yield from _said(whole, clause, of)
    for place in places:
        for changed in by_a_unit(at(whole, place)):
            yield f"{place} = {changed}", put(whole, place, changed)


def _said(whole: dict[str, Any], clause: str, of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Caps and what they are over, once only, one cost once, the day of what is supported."""
    for key in sorted({"once", "cost", "happened"} & of.keys()):
        yield f"{clause} without {key}", without(whole, ("clauses", clause, key))
    for parameter, over in of.get("caps", {}).items():
        cap: Way = ("clauses", clause, "caps", parameter)
        yield f"{clause} without {parameter}", without(whole, cap)
        if over == "year":
            yield f"{clause}: {parameter} over a claim", put(whole, cap, "claim")


@pytest.mark.parametrize("name", NAMES)
def test_a_number_that_is_off_by_one_makes_a_case_fail(name: str):
    cases = [(clause, base, case) for book, clause, base, case in CASES if book == name]
    lived = []
    for what, mutant in mutants(name):
        try:
            book = read(name, mutant, formulas(name))
        except RulebookError:
            continue
        if not any(wrong(book, *case) for case in cases):
            lived.append(what)
    assert not lived
