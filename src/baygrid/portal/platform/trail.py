"""The audit: looked through by who, what and when; the chain recomputed; what can be taken along."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from starlette.responses import Response

from baygrid.app import audit
from baygrid.app.access import Action, permit
from baygrid.app.problems import Invalid, Problem
from baygrid.core.data.chain import Checked
from baygrid.core.days import beginning
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.data import Sought

SHOWN: Final = 50
TYPED: Final = ("kind", "by", "about", "from", "to")
MOST_DIGITS: Final = 18


def look(visit: Visit) -> Response:
    return _look(visit)


def _look(visit: Visit, checked: Checked | None = None) -> Response:
    permit(visit.actor, Action.OPERATE)
    typed = {name: visit.asked(name).strip()[:200] for name in TYPED}
    problem: Problem | None = None
    rows, next = [], ""
    try:
        before = _number(visit.asked("before")) if visit.asked("before") else None
        sought = Sought(typed["kind"], typed["by"], typed["about"], *_stretch(typed))
        rows = audit.links(visit.platform, visit.actor, before=before, limit=SHOWN + 1, sought=sought)
    except Invalid as wrong:
        problem = wrong
    if len(rows) > SHOWN:
        next = visit.url("region/audit", before=rows[SHOWN - 1].n, **typed)
    return page(
        visit, "platform/audit.html", problem=problem, rows=rows[:SHOWN], next=next, typed=typed,
        checked=checked, searched=any(typed.values()), most=audit.MOST_LINKS,
    )  # fmt: skip


def _stretch(typed: dict[str, str]) -> tuple[int | None, int | None]:
    """Of whole days by the region's clock, the last one too. Raises Invalid."""
    first, last = _day("from", typed["from"]), _day("to", typed["to"])
    if first and last and first > last:
        raise Invalid.at("from", f"{first} is after {last}: turn them round")
    since = beginning(first) if first else None
    return since, beginning(last + timedelta(days=1)) if last else None


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.at(name, f"{text!r} is no day: write it as 2026-11-01") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Invalid.at("after", f"{text[:40]!r} is no number of a link")
    return int(text)


def verify(visit: Visit) -> Response:
    """Recomputed now, and shown on the page that answers."""
    after = _number(visit.form.get("after") or "0")
    return _look(visit, audit.verify(visit.platform, visit.actor, after))


PAGES = (
    Page("region/audit", look, here="audit"),
    Page("region/audit", verify, here="audit", method="POST"),
)
