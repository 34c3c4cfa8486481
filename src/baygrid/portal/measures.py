"""Public support: a rulebook's questions as a form, and what its clauses give at most, with the reckoning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.responses import Response

from baygrid.app.access import Action, permit
from baygrid.app.problems import Invalid, NotFound
from baygrid.core.days import day_of
from baygrid.core.law.clauses import Finding, Status, find
from baygrid.core.law.facts import Fact, Kind
from baygrid.core.reading import DocumentError
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Form, Visit
from baygrid.rulebooks.measures.applicant import applicant
from baygrid.rulebooks.measures.book import NAMES, Rulebook, rulebook
from baygrid.rulebooks.measures.calendar import occasions

STATUSES: Mapping[str, str] = {
    "in force": N_("in force"),
    "replaced": N_("replaced"),
    "draft": N_("draft"),
    "not loaded": N_("text not loaded"),
    "example": N_("example, nobody's law"),
}
FOUND: Mapping[Status, str] = {
    Status.ELIGIBLE: N_("eligible"),
    Status.NOT_ELIGIBLE: N_("not eligible"),
    Status.MISSING_FACTS: N_("more must be said"),
    Status.LAPSED: N_("lapsed"),
    Status.NOT_LOADED: N_("text not loaded"),
}
EMPTY = Form()


def list_(visit: Visit) -> Response:
    permit(visit.actor, Action.BROWSE)
    books = [rulebook(name) for name in NAMES]
    days = occasions([book for book in books if book.status != "example"])
    today = day_of(visit.now)
    return page(
        visit, "measures/measures.html", books=books, statuses=STATUSES,
        loaded={it.name: sum(clause.formula is not None for clause in it.clauses) for it in books},
        coming=[it for it in days if it.day >= today], past=[it for it in days if it.day < today][::-1],
    )  # fmt: skip


def show(visit: Visit) -> Response:
    return _shown(visit, _book(visit), EMPTY)


def check(visit: Visit) -> Response:
    """Nothing is kept of what was typed."""
    book, form = _book(visit), visit.form
    try:
        day = _day(visit, form)
        facts = {
            name: value for name, fact in book.facts.items() if (value := _value(fact, form)) is not None
        }
        document = {**facts, **({"claimed": []} if form.get("claimed") else {})}
        who = applicant(document, book)
    except Invalid as wrong:
        return _shown(visit, book, form, problem=wrong)
    except DocumentError as error:
        wrong_facts = Invalid.many([(it.path, it.message) for it in error.problems])
        return _shown(visit, book, form, problem=wrong_facts)
    found = [find(clause, who, book.parameters, day) for clause in book.clauses]
    return _shown(visit, book, form, found=found, day=day)


def _shown(
    visit: Visit,
    book: Rulebook,
    typed: Form,
    problem: Invalid | None = None,
    found: list[Finding] | None = None,
    day: date | None = None,
) -> Response:
    return page(
        visit, "measures/measure.html", problem=problem, book=book, typed=typed, found=found, day=day,
        statuses=STATUSES, results=FOUND, clauses={it.id: it for it in book.clauses},
        today=day_of(visit.now).isoformat(),
    )  # fmt: skip


def _book(visit: Visit) -> Rulebook:
    permit(visit.actor, Action.BROWSE)
    name = visit.param("book")
    if name not in NAMES:
        raise NotFound(f"there is no rulebook {name!r}: there are {', '.join(NAMES)}")
    return rulebook(name)


def _day(visit: Visit, form: Form) -> date:
    text = form.get("as_of")
    try:
        return date.fromisoformat(text) if text else day_of(visit.now)
    except ValueError:
        raise Invalid.at("as_of", "must be a day, such as 2026-11-30") from None


def _value(fact: Fact, form: Form) -> object:
    """As the rulebook reads it; None where nothing is said."""
    text = form.get(f"fact-{fact.name}")
    if not text:
        return None
    if fact.kind is Kind.YES_NO and text in ("yes", "no"):
        return text == "yes"
    if fact.kind is Kind.COUNT and text.isdecimal() and len(text) < 16:
        return int(text)
    return text


PAGES = (
    Page("measures", list_, here="measures"),
    Page("measures/{book}", show, here="measures"),
    Page("measures/{book}/check", check, here="measures", method="POST"),
)
