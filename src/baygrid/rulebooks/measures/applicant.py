"""An applicant's document: facts by name; beside them what was `claimed` before, what is left of `pools`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from baygrid.core.law.clauses import Applicant, Claimed, Clause, Over
from baygrid.core.law.facts import Value, day, money, read_facts
from baygrid.core.reading import DocumentError, Problem, Wrong, shown
from baygrid.rulebooks.measures.book import Rulebook


def applicant(document: object, book: Rulebook, beside: Rulebook | None = None) -> Applicant:
    """`claimed` is a list of {clause, amount, date, cost}, `pools` a mapping of clauses to amounts. What only
    the rulebook `beside` asks for is passed over. Raises DocumentError with every mistake."""
    if not isinstance(document, Mapping):
        raise DocumentError((Problem("", f"must be a mapping of facts, not {shown(document)}"),))
    problems: list[Problem] = []
    facts: dict[str, Value] = {}
    passed = {"claimed", "pools", *(beside.facts.keys() - book.facts.keys() if beside is not None else ())}
    claimed, pools = document.get("claimed"), document.get("pools")
    try:
        facts = read_facts({k: v for k, v in document.items() if k not in passed}, book.facts)
    except DocumentError as error:
        problems += error.problems
    earlier = None if claimed is None else _claimed(claimed, book, beside, problems)
    left = {} if pools is None else _pools(pools, book, problems)
    if problems:
        raise DocumentError(tuple(problems))
    return Applicant(facts, earlier, left)


def _claimed(
    claimed: object, book: Rulebook, beside: Rulebook | None, problems: list[Problem]
) -> list[Claimed]:
    """Of a clause that pays costs each must say which, or nobody could tell whether a cost is paid twice."""
    if not isinstance(claimed, list):
        problems.append(Problem("claimed", f"must be a list, not {shown(claimed)}"))
        return []
    found = []
    for index, one in enumerate(claimed):
        path = f"claimed[{index}]"
        if not isinstance(one, Mapping) or one.keys() - {"clause", "amount", "date", "cost"}:
            problems.append(
                Problem(path, "must have clause, amount and date, may have cost, and nothing else")
            )
            continue
        if beside is not None and one.get("clause") in {it.id for it in beside.clauses} - _ids(book):
            continue
        try:
            clause, cost = _clause(one.get("clause"), book), one.get("cost") or ""
            if not isinstance(cost, str) or (clause.cost and not cost):
                raise Wrong(f"must say its cost, as a text: {clause.id} pays a cost once")
            found.append(Claimed(clause.id, money(one.get("amount")), day(one.get("date")), cost))
        except Wrong as wrong:
            problems.append(Problem(path, str(wrong)))
    return found


def _pools(pools: object, book: Rulebook, problems: list[Problem]) -> dict[str, Decimal]:
    if not isinstance(pools, Mapping):
        problems.append(Problem("pools", f"must be a mapping, not {shown(pools)}"))
        return {}
    found = {}
    for name, amount in pools.items():
        try:
            clause = _clause(name, book)
            if not any(cap.over is Over.POOL for cap in clause.caps):
                raise Wrong("has no pool")
            found[clause.id] = money(amount)
        except Wrong as wrong:
            problems.append(Problem(f"pools.{name}", str(wrong)))
    return found


def _ids(book: Rulebook) -> set[str]:
    return {clause.id for clause in book.clauses}


def _clause(name: object, book: Rulebook) -> Clause:
    for clause in book.clauses:
        if clause.id == name:
            return clause
    raise Wrong(f"there is no clause {shown(name)} in {book.name}")
