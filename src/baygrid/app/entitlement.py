"""What a clause of a rulebook entitles an organisation to: the terms of a voucher, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from baygrid.app.problems import Invalid
from baygrid.core.days import beginning, day_of
from baygrid.core.law.case import Case
from baygrid.core.law.clauses import Applicant, Claimed, Clause, Finding, RateOf, Status, find
from baygrid.core.pricing.vouchers import Terms
from baygrid.core.reading import DocumentError
from baygrid.core.units import DECIMALS, Money
from baygrid.ports.basics import Instant
from baygrid.ports.support import VoucherRow
from baygrid.rulebooks.measures.applicant import applicant
from baygrid.rulebooks.measures.book import NAMES, Rulebook, rulebook


@dataclass(frozen=True, slots=True)
class Asked:
    """What a voucher is to be. `facts`: a document as for `baygrid measures check`. `cap` None: all that the
    clause may give; `until` None: the last day of the clause."""

    organisation: str
    project: str | None
    pool: str
    facts: Mapping[str, Any]
    cap: Money | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Supporting:
    """A clause that pays a share of a cost."""

    book: Rulebook
    clause: Clause
    share: RateOf


def supporting(book: str, id: str) -> Supporting:
    """Raises Invalid for a clause that no voucher can be of."""
    if book not in NAMES:
        raise Invalid.at("rulebook", f"there is no rulebook {book!r}: use one of {', '.join(NAMES)}")
    text = rulebook(book)
    clause = next((it for it in text.clauses if it.id == id), None)
    if clause is None:
        raise Invalid.at("clause", f"{book} has no clause {id!r}: see `baygrid measures list`")
    if clause.formula is None:
        raise Invalid.at("clause", f"the text of {id} is not loaded: {clause.note}")
    if not isinstance(clause.formula.amount, RateOf):
        raise Invalid.at("clause", f"{id} of {book} pays no share of a cost: no voucher is of it")
    return Supporting(text, clause, clause.formula.amount)


def entitled(
    under: Supporting, asked: Asked, earlier: Sequence[VoucherRow], now: Instant
) -> tuple[Terms, dict[str, Any]]:
    """The terms of a voucher from `now` on, and what a claim to the payer rests on. `earlier`: what the
    organisation has from us already, which counts as claimed. Raises Invalid where the clause does not find
    it eligible, and for more than it finds."""
    today = day_of(now)
    who = _applicant(under, asked, earlier)
    named = under.clause.cost
    if named and named not in who.facts:
        raise Invalid.at(f"facts.{named}", f"must be there: {under.book.facts[named].question}")
    finding = find(under.clause, who, under.book.parameters, today)
    ceiling = _ceiling(under.book, finding)
    if asked.cap is not None and (asked.cap.currency != ceiling.currency or asked.cap.minor <= 0):
        raise Invalid.at("cap", f"must be an amount of {ceiling.currency}, more than nothing")
    if asked.cap is not None and asked.cap > ceiling:
        raise Invalid.at("cap", f"must not be above {ceiling}, the most that {under.clause.id} allows")
    case = Case(who.facts, under.book.parameters, today)
    terms = Terms(
        Fraction(under.share.rate(case)),
        asked.cap or ceiling,
        Money.of(Fraction(case.amount(under.share.cost)), ceiling.currency),
        now,
        beginning(_last_day(under.clause, asked.until, today) + timedelta(days=1)),
    )
    return terms, _told(under, finding, asked.facts, today)


def _applicant(under: Supporting, asked: Asked, earlier: Sequence[VoucherRow]) -> Applicant:
    """A voucher that it has counts with its cap, since it may still pay for what was used in its time; one
    that was revoked counts with what it paid."""
    try:
        who = applicant(asked.facts, under.book)
    except DocumentError as error:
        raise Invalid.many([(f"facts.{it.path}", it.message) for it in error.problems]) from None
    clause = under.clause
    given = []
    for row in earlier:
        terms, drawn = row.voucher.terms, row.voucher.drawn
        minor = terms.cap.minor if row.revoked_at is None else drawn.paid
        had = Decimal(minor) / Decimal(10) ** DECIMALS[terms.cap.currency]
        of = (row.finding["rulebook"], row.finding["clause"])
        if of == (under.book.name, clause.id) and minor:
            day, cost = date.fromisoformat(row.finding["as_of"]), row.finding["facts"].get(clause.cost, "")
            given.append(Claimed(clause.id, had, day, str(cost)))
    return replace(who, claimed=[*(who.claimed or ()), *given])


def _ceiling(book: Rulebook, finding: Finding) -> Money:
    """What the clause may give at most. Raises Invalid where that is nothing."""
    if finding.status is Status.MISSING_FACTS:
        asks = [f"{name}: {book.facts[name].question}" for name in finding.missing]
        raise Invalid.at("facts", f"{finding.clause} asks for more: {'; '.join(asks)}")
    why = "; ".join(finding.reasons)
    if finding.status is not Status.ELIGIBLE:
        raise Invalid.at("facts", f"{finding.clause} gives no voucher ({finding.status.value}): {why}")
    if not finding.ceiling:
        raise Invalid.at("facts", f"{finding.clause} comes to nothing: {why}")
    return Money.of(Fraction(finding.ceiling), book.currency)


def _last_day(clause: Clause, until: date | None, today: date) -> date:
    """Raises Invalid."""
    last = clause.validity.last
    day = until or last
    if day is None:
        raise Invalid.at("until", f"{clause.id} has no last day: say until when the voucher is")
    if day < today or (last is not None and day > last):
        raise Invalid.at("until", f"must be a day from {today} to {last or 'any later one'}, not {day}")
    return day


def _told(under: Supporting, finding: Finding, facts: Mapping[str, Any], today: date) -> dict[str, Any]:
    return {
        "rulebook": under.book.name,
        "clause": under.clause.id,
        "title": under.clause.title,
        "reference": under.clause.reference,
        "as_of": str(today),
        "facts": dict(facts),
        "ceiling": f"{finding.ceiling:.2f} {under.book.currency}",
        "reasons": list(finding.reasons),
        "trace": [{"says": it.says, "value": it.value, "reference": it.reference} for it in finding.steps],
    }
