"""Bills: every line from the usage record that it rests on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from baygrid.api import bill_schemas, render_money
from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.api.times import Time, instant_of
from baygrid.app import bill
from baygrid.app.problems import Invalid

router = APIRouter(route_class=Route, tags=["bill"])

Recompute = Annotated[bool, Query(description="rebuild every line from the signed usage and the tariffs")]
TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/v1/projects/{project}/bill", response_model=bill_schemas.Bill, responses=TEXT)
def project_bill(
    project: str,
    call: Caller,
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
    format: Literal["json", "beancount"] = "json",
    recompute: Recompute = False,
) -> Response:
    """What was charged in [from, to); without them, everything. `beancount`: the project's whole ledger."""
    if format == "beancount":
        if begin or end or recompute:
            raise Invalid.at(
                "format", "beancount is always the whole ledger: leave from, to and recompute out"
            )
        return PlainTextResponse(bill.beancount(call.platform, call.actor, project))
    until = instant_of("to", end)
    row = bill.bill(
        call.platform,
        call.actor,
        project,
        instant_of("from", begin) or 0,
        call.platform.clock() + 1 if until is None else until,
        recompute=recompute,
    )
    return Json(render_money.bill(row))


@router.get("/v1/jobs/{job}/bill", response_model=bill_schemas.Bill)
def job_bill(job: str, call: Caller, recompute: Recompute = False) -> Json:
    """One job's part of its project's bill."""
    return Json(render_money.bill(bill.of_job(call.platform, call.actor, job, recompute=recompute)))
