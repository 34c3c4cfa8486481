"""The platform's own figures, and charts of them: picture, data, and what the data is, each at an address."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from baygrid.api import figure_schemas
from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.api.times import Day, day_of
from baygrid.app import bottlenecks, charts
from baygrid.app.rendering import Language
from baygrid.observatory.charts import Chart, data_csv, metadata

router = APIRouter(route_class=Route, tags=["observatory"])

SVG: Final[Responses] = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}}
First = Annotated[Day, Query(alias="from", description="the first day; else 29 days before the last")]
Last = Annotated[Day, Query(alias="to", description="the last day; else today")]


@router.get("/v1/bottlenecks", response_model=figure_schemas.Figures)
def list_bottlenecks(call: Caller, first: First = None, last: Last = None) -> Json:
    """What was asked for and not had, what keeps jobs away from each centre, data that nobody offers; compute
    and support by layer of the company. As it is known now, of at most 366 days."""
    found = bottlenecks.show(call.platform, call.actor, day_of("from", first), day_of("to", last))
    return Json({"items": [it.to_json() for it in found]})


@router.get("/v1/charts/{chart}.svg", responses=SVG)
def chart_picture(
    chart: str, call: Caller, language: Language = Language.ENGLISH, first: First = None, last: Last = None
) -> Response:
    """In the reader's language, for light and dark pages, with words for who hears it."""
    picture = charts.picture(_chart(call, chart, first, last), language)
    return Response(picture, media_type="image/svg+xml")


@router.get("/v1/charts/{chart}.csv", responses=figure_schemas.CSV)
def chart_data(chart: str, call: Caller, first: First = None, last: Last = None) -> Response:
    """A row for each figure of the chart, with its population, period, vintage, source and coverage."""
    return Response(data_csv(_chart(call, chart, first, last)), media_type="text/csv; charset=utf-8")


@router.get("/v1/charts/{chart}.json", response_model=figure_schemas.Chart)
def chart_metadata(chart: str, call: Caller, first: First = None, last: Last = None) -> Json:
    """Its words in all languages, and each of its figures whole."""
    return Json(metadata(_chart(call, chart, first, last)))


def _chart(call: Caller, id: str, first: str | None, last: str | None) -> Chart:
    return charts.chart(call.platform, call.actor, id, day_of("from", first), day_of("to", last))
