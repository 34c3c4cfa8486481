"""Bills: every line from the usage record that it rests on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from baygrid.api import bill_schemas, bodies, render
from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.app import bill
from baygrid.app.problems import Invalid
from baygrid.ports.basics import Instant

router = APIRouter(route_class=Route, tags=["bill"])

Time = Annotated[str | None, Query(max_length=40, examples=["2026-11-01T00:00:00Z"])]
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
    until = _instant("to", end)
    row = bill.bill(
        call.platform,
        call.actor,
        project,
        _instant("from", begin) or 0,
        call.platform.clock() + 1 if until is None else until,
        recompute=recompute,
    )
    return Json(render.bill(row))


@router.get("/v1/jobs/{job}/bill", response_model=bill_schemas.Bill)
def job_bill(job: str, call: Caller, recompute: Recompute = False) -> Json:
    """One job's part of its project's bill."""
    return Json(render.bill(bill.of_job(call.platform, call.actor, job, recompute=recompute)))


def _instant(name: str, text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        return bodies.instant(text)
    except ValueError as error:
        raise Invalid.at(name, str(error)) from None
