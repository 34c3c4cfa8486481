"""The observatory's figures, and one on another."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from baygrid.api import figure_schemas
from baygrid.api.edge import Caller, Json, Route
from baygrid.api.times import Day, day_of
from baygrid.app import indicators
from baygrid.observatory.sheet import as_csv

router = APIRouter(route_class=Route, tags=["observatory"])

Zone = Annotated[str | None, Query(max_length=63, description="else the one that all others lie in")]
AsOf = Annotated[Day, Query(description="the day; else today")]
KnownBy = Annotated[Day, Query(description="as it was known at the end of this day; else today")]
Id = Annotated[str, Query(max_length=127, examples=["companies.count"])]


@router.get("/v1/indicators", response_model=figure_schemas.Figures)
def list_indicators(call: Caller, zone: Zone = None, as_of: AsOf = None, known_by: KnownBy = None) -> Json:
    """All figures of a zone on a day, each with its population, period, vintage, source and coverage.
    Without a zone the platform's own of the month to that day, too: those of /v1/bottlenecks."""
    return Json({"items": _figures(call, zone, as_of, known_by)})


@router.get("/v1/indicators.csv", responses=figure_schemas.CSV)
def list_indicators_csv(
    call: Caller, zone: Zone = None, as_of: AsOf = None, known_by: KnownBy = None
) -> Response:
    """The same as CSV."""
    found = as_csv(_figures(call, zone, as_of, known_by))
    return Response(found, media_type="text/csv; charset=utf-8")


@router.get("/v1/indicators/compare", response_model=figure_schemas.Figure)
def compare_indicators(
    call: Caller,
    top: Annotated[Id, Query(description="a figure's id, or id@zone")],
    bottom: Annotated[Id, Query(description="what it is a part of")],
    zone: Zone = None,
    as_of: AsOf = None,
    known_by: KnownBy = None,
) -> Json:
    """One figure on another; refused with the reason where they are not of one population, period and
    vintage."""
    days = day_of("as_of", as_of), day_of("known_by", known_by)
    return Json(indicators.compare(call.platform, call.actor, top, bottom, zone, *days).to_json())


@router.get("/v1/indicators/history", response_model=figure_schemas.Figures)
def indicator_history(
    call: Caller,
    id: Id,
    zone: Zone = None,
    as_of: AsOf = None,
    years: Annotated[int, Query(ge=1, le=50, description="so many, the last one at as_of")] = 5,
    known_by: KnownBy = None,
) -> Json:
    """One figure on the same day of some years, the earliest first."""
    day, known = day_of("as_of", as_of), day_of("known_by", known_by)
    found = indicators.history(call.platform, call.actor, id, zone, day, years, known)
    return Json({"items": [it.to_json() for it in found]})


def _figures(call: Caller, zone: str | None, as_of: str | None, known_by: str | None) -> list[dict[str, Any]]:
    day, known = day_of("as_of", as_of), day_of("known_by", known_by)
    return [it.to_json() for it in indicators.figures(call.platform, call.actor, zone, day, known)]
