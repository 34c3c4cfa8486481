"""What two rulebooks have differently: numbers, clauses, and what becomes of one applicant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from baygrid.core.law.clauses import Clause, Finding
from baygrid.rulebooks.measures.book import Rulebook


@dataclass(frozen=True, slots=True)
class Change:
    """`what`: "number", "clause" or "outcome". "" on the side where there is none."""

    what: str
    name: str
    before: str
    after: str


def changes(older: Rulebook, newer: Rulebook) -> Iterator[Change]:
    """Of parameters their newest values, of clauses whether their text is loaded."""
    yield from _changed("number", _numbers(older), _numbers(newer))
    yield from _changed("clause", _stands(older), _stands(newer))


def outcomes(before: list[Finding], after: list[Finding]) -> Iterator[Change]:
    yield from _changed("outcome", _words(before), _words(after))


def _changed(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(what, name, before.get(name, ""), after.get(name, ""))


def _numbers(book: Rulebook) -> dict[str, str]:
    return {name: str(values[-1].value) for name, values in book.parameters.items()}


def _stands(book: Rulebook) -> dict[str, str]:
    return {clause.id: _stand(clause) for clause in book.clauses}


def _stand(clause: Clause) -> str:
    return "loaded" if clause.formula is not None else f"not loaded: {clause.note}"


def _words(findings: list[Finding]) -> dict[str, str]:
    return {finding.clause: _in_words(finding) for finding in findings}


def _in_words(finding: Finding) -> str:
    amount = [] if finding.ceiling is None else [f"at most {finding.ceiling:,}"]
    return " ".join([finding.status.replace("_", " "), *amount, *finding.missing])
