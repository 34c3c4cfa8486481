"""The observatory: figures of the region's industry, and the platform's own with their charts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from starlette.responses import Response

from baygrid.app import bottlenecks, charts, indicators
from baygrid.app.observatory import NoObservatory
from baygrid.app.problems import Invalid, Problem
from baygrid.core.indicators.figure import Figure
from baygrid.observatory.profiles import profiles
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit


def show(visit: Visit) -> Response:
    asked = {name: visit.asked(name) for name in ("zone", "as_of", "from", "to")}
    try:
        days = {name: _day(name, asked[name]) for name in ("as_of", "from", "to")}
        own = bottlenecks.show(visit.platform, visit.actor, days["from"], days["to"])
    except Invalid as problem:
        return page(
            visit, "observatory/observatory.html", problem=problem, asked=asked, own=[], drawn=[], figures=[],
            why=None,
        )  # fmt: skip
    figures, why, wrong = _figures(visit, asked["zone"], days["as_of"])
    return page(
        visit, "observatory/observatory.html", problem=wrong, asked=asked, own=own, figures=figures,
        why=why,
        drawn=charts.drawn(own),
    )  # fmt: skip


def _figures(
    visit: Visit, zone: str, day: date | None
) -> tuple[list[Figure], Problem | None, Problem | None]:
    """Of the registry. Beside them why there are none, or what is wrong with what was asked."""
    try:
        return indicators.figures(visit.platform, visit.actor, zone or None, day, None), None, None
    except Invalid as wrong:
        return ([], None, wrong) if zone or day else ([], wrong, None)
    except NoObservatory as why:
        return [], why, None


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.at(name, "must be a day, such as 2026-11-30") from None


def cities(visit: Visit) -> Response:
    def number(value: str) -> str:
        return visit.voice.number(Decimal(value), 7)

    return page(visit, "observatory/cities.html", cities=profiles(), number=number)


PAGES = (
    Page("observatory", show, here="observatory"),
    Page("observatory/cities", cities, here="observatory"),
)
