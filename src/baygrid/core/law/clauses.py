"""One clause of a measure over one case: eligible, not, or what must be asked; and the ceiling with a trace.

amount = min(formula, each cap less what was had under it, what is left of the pool), down to the cent. Three
kinds of days are kept apart: when the clause is in force, when what it supports must have happened, and when
it can be applied for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

from baygrid.core.law.case import CENT, AnyOf, Case, Condition, Step, all_of
from baygrid.core.law.facts import Missing, Value
from baygrid.core.law.parameters import Lapsed, Parameters, Span

ZERO: Final = Decimal(0)
ALWAYS: Final = Span()


class Status(StrEnum):
    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    MISSING_FACTS = "missing_facts"
    LAPSED = "lapsed"
    NOT_LOADED = "not_loaded"


class Over(StrEnum):
    """What a cap is over: one claim, one applicant in a calendar year, one applicant in all, or all
    applicants of a calendar year."""

    CLAIM = "claim"
    YEAR = "year"
    APPLICANT = "applicant"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class Cap:
    parameter: str
    over: Over


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the applicant had before: under which clause, when, and for which cost ("": of none)."""

    clause: str
    amount: Decimal
    on: date
    cost: str = ""


@dataclass(frozen=True, slots=True)
class RateOf:
    """An amount that is a share of one cost, so that vouchers can pay it: `cost` is the fact that says how
    much that is in all."""

    rate: Callable[[Case], Decimal]
    cost: str

    def __call__(self, case: Case) -> Decimal:
        return self.rate(case) * case.amount(self.cost)


@dataclass(frozen=True, slots=True)
class Formula:
    """What is code of a clause. `amount` is before all caps."""

    conditions: tuple[Condition | AnyOf, ...]
    amount: Callable[[Case], Decimal]


@dataclass(frozen=True, slots=True)
class Clause:
    """`formula` None: its text is not established, and `note` says what is not. `happened`: the fact that
    dates what is supported, which `support` must have. `once` within its validity; `cost`: the fact that
    names the cost, which no other clause may have paid already."""

    id: str
    title: str
    reference: str
    formula: Formula | None
    note: str = ""
    validity: Span = ALWAYS
    support: Span = ALWAYS
    happened: str = ""
    window: Span = ALWAYS
    caps: tuple[Cap, ...] = ()
    once: bool = False
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Applicant:
    """`facts` by name, what was `claimed` before (None: nobody said), and what is left of pools by clause,
    where that is known."""

    facts: Mapping[str, Value]
    claimed: Sequence[Claimed] | None = None
    pools: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """`ceiling`: at most so much, in major units; never a promise. None where nothing can be told."""

    clause: str
    status: Status
    reference: str
    ceiling: Decimal | None = None
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def find(clause: Clause, applicant: Applicant, parameters: Parameters, as_of: date) -> Finding:
    """What the clause may give this applicant at most, applied for on `as_of`."""
    if clause.validity.after(as_of):
        return _told(clause, Status.LAPSED, f"it was in force until {clause.validity.last}")
    if clause.formula is None:
        return _told(clause, Status.NOT_LOADED, f"its text is not loaded: {clause.note}")
    if clause.validity.before(as_of):
        return _told(clause, Status.NOT_ELIGIBLE, f"it is in force from {clause.validity.first}")
    case = Case(applicant.facts, parameters, as_of)
    try:
        conditions = (*_dates(clause), *_earlier(clause, applicant, as_of), *clause.formula.conditions)
        judged = all_of(conditions, case)
        if judged.held is False:
            return _told(clause, Status.NOT_ELIGIBLE, *judged.why, steps=tuple(case.steps))
        if judged.missing:
            return _asking(clause, clause.formula, case, judged.missing)
        try:
            amount = clause.formula.amount(case)
        except Missing as unknown:
            return _asking(clause, clause.formula, case, (unknown.name,))
        ceiling, reasons = _capped(clause, applicant, case, amount)
    except Lapsed as lapsed:
        return _told(clause, Status.LAPSED, f"{lapsed.name} has no value on {as_of}")
    return Finding(clause.id, Status.ELIGIBLE, clause.reference, ceiling, (), reasons, tuple(case.steps))


def same_cost(name: str) -> str:
    """Equal for names that differ in case, width or spaces only: a cost is paid once, however written."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _told(clause: Clause, status: Status, *reasons: str, steps: tuple[Step, ...] = ()) -> Finding:
    note = (clause.note,) if clause.note and status is not Status.NOT_LOADED else ()
    return Finding(clause.id, status, clause.reference, reasons=(*reasons, *note), steps=steps)


def _asking(clause: Clause, formula: Formula, case: Case, missing: tuple[str, ...]) -> Finding:
    """What is asked next: first what decides, then what the amount needs. Raises Lapsed."""
    asked = dict.fromkeys(missing)
    try:
        formula.amount(case)
    except Missing as unknown:
        asked[unknown.name] = None
    return replace(_told(clause, Status.MISSING_FACTS, steps=tuple(case.steps)), missing=tuple(asked))


def _dates(clause: Clause) -> list[Condition]:
    found = []
    if clause.window != ALWAYS:
        says = f"it is applied for {_between(clause.window)}"
        found.append(Condition(says, lambda case: case.as_of in clause.window))
    if clause.happened and clause.support != ALWAYS:
        says = f"{clause.happened} lies {_between(clause.support)}, and not after the application"
        found.append(Condition(says, lambda case: _happened(clause, case)))
    return found


def _happened(clause: Clause, case: Case) -> bool:
    day = case.day(clause.happened)
    return day in clause.support and day <= case.as_of


def _earlier(clause: Clause, applicant: Applicant, as_of: date) -> list[Condition]:
    """What an earlier claim rules out."""
    found = []
    earlier = [one for one in applicant.claimed or () if one.on <= as_of]
    if clause.once:
        had = any(one.clause == clause.id and one.on in clause.validity for one in earlier)
        found.append(Condition("it is had for the first time, as it can be once only", lambda _: not had))
    paid = {same_cost(one.cost) for one in earlier if one.cost}
    if clause.cost and paid:
        says = "nothing was had for the same cost before"
        found.append(Condition(says, lambda case: same_cost(case.text(clause.cost)) not in paid))
    return found


def _capped(
    clause: Clause, applicant: Applicant, case: Case, amount: Decimal
) -> tuple[Decimal, tuple[str, ...]]:
    reasons = [clause.note] if clause.note else []
    if applicant.claimed is None and (clause.once or clause.cost or clause.caps):
        reasons.append("nobody said what was claimed before: nothing is taken to be")
    ceiling = max(ZERO, amount)
    case.did("by the formula", ceiling)
    for cap in clause.caps:
        most = case.parameter(cap.parameter)
        had = _had(clause, applicant, cap, case.as_of)
        left = max(ZERO, most - had)
        if cap.over is Over.POOL:
            left = min(most, applicant.pools.get(clause.id, most))
            if clause.id not in applicant.pools:
                reasons.append(f"what is left of the pool of {most:,} for the year is not known")
        if left < ceiling:
            case.did(f"at most {most:,} for a {cap.over.value}, of which {most - left:,} is used", left)
            reasons.append(
                f"{cap.parameter} is {most:,}" + (f", of which {left:,} is left" if left < most else "")
            )
            ceiling = left
    return ceiling.quantize(CENT, ROUND_FLOOR), tuple(reasons)


def _had(clause: Clause, applicant: Applicant, cap: Cap, as_of: date) -> Decimal:
    """Under this clause, of what the cap is over."""
    if cap.over in (Over.CLAIM, Over.POOL):
        return ZERO
    earlier = [
        one
        for one in applicant.claimed or ()
        if one.clause == clause.id and one.on in clause.validity and one.on <= as_of
    ]
    return sum(
        (one.amount for one in earlier if cap.over is Over.APPLICANT or one.on.year == as_of.year), ZERO
    )


def _between(span: Span) -> str:
    if span.first is None:
        return f"until {span.last}"
    return f"from {span.first}" + ("" if span.last is None else f" to {span.last}")
