"""Charts of the platform's own figures at addresses that stay: for the same days, the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from baygrid.app.access import Actor
from baygrid.app.bottlenecks import show
from baygrid.app.names import unknown
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, Problem
from baygrid.core.indicators.figure import Figure
from baygrid.observatory.charts import Chart
from baygrid.observatory.own import IDS, own_chart


class NoCharts(Problem):
    status, code, title = 503, "no-charts", "This server cannot draw charts"


def chart(platform: Platform, actor: Actor, id: str, first: date | None, last: date | None) -> Chart:
    """Raises NotFound where there is none of this name or nothing to draw, Invalid."""
    if id not in IDS:
        raise NotFound(unknown("chart", id, list(IDS)))
    figures = show(platform, actor, first, last, id)
    found = own_chart(id, [it.to_json() for it in figures])
    if found is None:
        raise NotFound(f"{id} has nothing to draw of these days: ask for others")
    return found


def drawn(figures: Sequence[Figure]) -> list[tuple[str, Chart | None]]:
    """All charts of these figures, by id. None: nothing to draw."""
    found = [it.to_json() for it in figures]
    return [(id, own_chart(id, found)) for id in IDS]


def picture(found: Chart, language: str) -> str:
    """As SVG. Raises NoCharts."""
    try:
        from baygrid.observatory.drawing import svg

        return svg(found, language)
    except ModuleNotFoundError as error:
        cure = "install baygrid[observatory] on the server; the same address with .csv has the data"
        raise NoCharts(f"{error.name} is not installed: {cure}") from None
