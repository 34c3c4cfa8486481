"""What centres do in an hour: measured and signed by their agents, or planned by their operators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from baygrid.api import bodies, paging, rating_schemas, render, render_ratings, schemas
from baygrid.api.edge import Call, Caller, Json, Route, read_json, reads
from baygrid.app import ratings
from baygrid.app.problems import Invalid
from baygrid.core.rating.value import Plan
from baygrid.ports import wire
from baygrid.ports.messages import SignedRating

router = APIRouter(route_class=Route, tags=["ratings"])


@router.get("/v1/ratings", response_model=schemas.Listing[rating_schemas.CentreRating])
def list_ratings(
    call: Caller,
    centre: str | None = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """The newest of each place and profile, then what is planned."""
    known, now = ratings.ratings(call.platform, call.actor, centre), call.platform.clock()
    rows = [render_ratings.rating(row, now) for row in known.rows]
    rows += [doc for _, row in sorted(known.plans.items()) for doc in render_ratings.planned(row)]
    page, next = paging.window(rows, lambda row: str(row["id"]), cursor, limit)
    return Json(render.items(page, next))


@router.get("/v1/centres/{centre}/ratings", response_model=schemas.Listing[rating_schemas.CentreRating])
def list_history(
    centre: str, call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None
) -> Json:
    """Every rating of a centre, newest first."""
    now = call.platform.clock()
    rows = [render_ratings.rating(row, now) for row in ratings.history(call.platform, call.actor, centre)]
    page, next = paging.window(rows, lambda row: str(row["id"]), cursor, limit)
    return Json(render.items(page, next))


@router.post("/v1/centres/{centre}/ratings", status_code=201, response_model=rating_schemas.CentreRating)
async def take_rating(centre: str, request: Request, call: Caller) -> Json:
    """A rating that the centre's agent has signed; may be repeated."""
    return await run_in_threadpool(_take, call, centre, await read_json(request))


def _take(call: Call, centre: str, document: Any) -> Json:
    ratings.check(call.actor, centre)
    try:
        signed = wire.from_json(SignedRating, document)
    except ValueError as error:
        raise Invalid.at("", f"this is no rating: {error}") from None
    row = ratings.take(call.platform, call.actor, centre, signed)
    return Json(render_ratings.rating(row, call.platform.clock()), 201)


@router.put("/v1/centres/{centre}/plan", response_model=schemas.Listing[rating_schemas.CentreRating])
def put_plan(centre: str, call: Caller, body: Annotated[bodies.NewPlan, reads(bodies.NewPlan)]) -> Json:
    """What the operator publishes of a centre, unmeasured; in the place of what was published before."""
    it = Plan(centre, body.units_per_hour, body.flops, body.note)
    return Json(render.items(render_ratings.planned(ratings.plan(call.platform, call.actor, it))))
