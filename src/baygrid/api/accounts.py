"""What projects may spend, and how they ask for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from baygrid.api import account_schemas, bodies, paging, render, render_accounts, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import allocations, applications, budgets, forecast
from baygrid.app.problems import Invalid

router = APIRouter(route_class=Route, tags=["accounts"])


@router.get("/v1/allocations", response_model=schemas.Listing[account_schemas.Allocation])
def list_allocations(
    call: Caller,
    project: str | None = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """A team's own; of an operator those of all projects, unless one is named."""
    rows = allocations.allocations(call.platform, call.actor, project)
    page, next = paging.window(rows, lambda it: it.row.allocation.id, cursor, limit)
    now = call.platform.clock()
    return Json(render.items((render_accounts.allocation(it, now) for it in page), next))


@router.get("/v1/applications", response_model=schemas.Listing[account_schemas.ApplicationLine])
def list_applications(
    call: Caller,
    project: str | None = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """Newest first: a team's own; of an operator those of all projects, unless one is named."""
    rows = applications.applications(call.platform, call.actor, project, cursor, limit + 1)
    next = rows[limit - 1].id if len(rows) > limit else None
    return Json(render.items(map(render_accounts.application_line, rows[:limit]), next))


@router.post("/v1/applications", status_code=201, response_model=account_schemas.Application)
def apply_for_allocation(
    call: Caller, body: Annotated[bodies.NewApplication, reads(bodies.NewApplication)]
) -> Json:
    project = body.project or call.actor.project
    if project is None:
        raise Invalid.at("project", "is missing: say for which project")
    view = applications.request(
        call.platform,
        call.actor,
        project=project,
        amount=body.amount,
        start=body.start,
        end=body.end,
        purpose=body.purpose,
        renews=body.renews,
    )
    return Json(render_accounts.application(view), 201)


@router.get("/v1/applications/{application}", response_model=account_schemas.Application)
def get_application(application: str, call: Caller) -> Json:
    """With its history: who did what, when and why."""
    return Json(render_accounts.application(applications.application(call.platform, call.actor, application)))


@router.post("/v1/applications/{application}/review", response_model=account_schemas.Application)
def review_application(
    application: str, call: Caller, body: Annotated[bodies.Review, reads(bodies.Review)]
) -> Json:
    view = applications.review(call.platform, call.actor, application, body.amount, body.note)
    return Json(render_accounts.application(view))


@router.post("/v1/applications/{application}/approve", response_model=account_schemas.Application)
def approve_application(
    application: str, call: Caller, body: Annotated[bodies.Approval, reads(bodies.Approval)]
) -> Json:
    """By another operator than the one who reviewed: it becomes an allocation."""
    view = applications.approve(call.platform, call.actor, application, body.amount, body.reason)
    return Json(render_accounts.application(view))


@router.post("/v1/applications/{application}/refuse", response_model=account_schemas.Application)
def refuse_application(
    application: str, call: Caller, body: Annotated[bodies.Reason, reads(bodies.Reason)]
) -> Json:
    """By another operator than the one who reviewed."""
    view = applications.refuse(call.platform, call.actor, application, body.reason)
    return Json(render_accounts.application(view))


@router.post("/v1/applications/{application}/withdraw", response_model=account_schemas.Application)
def withdraw_application(
    application: str, call: Caller, body: Annotated[bodies.Withdrawal, reads(bodies.Withdrawal)]
) -> Json:
    view = applications.withdraw(call.platform, call.actor, application, body.reason)
    return Json(render_accounts.application(view))


@router.get("/v1/budgets", response_model=schemas.Listing[account_schemas.Budget])
def list_budgets(call: Caller, project: str | None = None) -> Json:
    """Of projects that have one: a team's own; of an operator all, unless one is named."""
    now = call.platform.clock()
    rows = budgets.budgets(call.platform, call.actor, project)
    return Json(render.items(render_accounts.budget(row, now) for row in rows))


@router.put("/v1/projects/{project}/budget", response_model=account_schemas.Budget)
def set_budget(
    project: str, call: Caller, body: Annotated[bodies.NewBudget, reads(bodies.NewBudget)]
) -> Json:
    """For this month and all that follow."""
    row = budgets.set_budget(
        call.platform, call.actor, project, body.amount, hard=body.hard, alerts=body.alerts
    )
    return Json(render_accounts.budget(row, call.platform.clock()))


@router.delete("/v1/projects/{project}/budget", status_code=204)
def remove_budget(project: str, call: Caller) -> Response:
    budgets.remove_budget(call.platform, call.actor, project)
    return Response(status_code=204)


@router.get("/v1/projects/{project}/forecast", response_model=account_schemas.Forecast)
def get_forecast(project: str, call: Caller) -> Json:
    """What this month will have cost when it ends."""
    return Json(render_accounts.forecast(forecast.outlook(call.platform, call.actor, project)))
