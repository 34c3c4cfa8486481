"""Bills: every line from the usage record that it rests on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from baygrid.api import bill_schemas, render_money
from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.api.times import Time, instant_of
from baygrid.app import bill, bundles, ledger
from baygrid.app.problems import Invalid

router = APIRouter(route_class=Route, tags=["bill"])

Recompute = Annotated[bool, Query(description="rebuild every line from the signed usage and the tariffs")]
BUNDLE: Responses = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
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
        return PlainTextResponse(ledger.beancount(call.platform, call.actor, project))
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


@router.get("/v1/projects/{project}/bundle", responses=BUNDLE)
def project_bundle(
    project: str,
    call: Caller,
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
) -> Json:
    """What was charged in [from, to), with the signed usage, tariffs and vouchers that it follows from, and
    signed by the platform. `baygrid bill verify` recomputes it without a server."""
    until = instant_of("to", end)
    return Json(
        bundles.of_project(
            call.platform,
            call.actor,
            project,
            instant_of("from", begin) or 0,
            call.platform.clock() + 1 if until is None else until,
        )
    )


@router.get("/v1/signing-key", response_model=bill_schemas.SigningKey)
def signing_key(call: Caller) -> Json:
    """The public key by which the platform signs bundles (Ed25519, hex)."""
    return Json({"public_key": bundles.public_key(call.platform, call.actor)})


@router.get("/v1/jobs/{job}/bill", response_model=bill_schemas.Bill)
def job_bill(job: str, call: Caller, recompute: Recompute = False) -> Json:
    """One job's part of its project's bill."""
    return Json(render_money.bill(bill.of_job(call.platform, call.actor, job, recompute=recompute)))
