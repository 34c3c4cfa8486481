"""Who is told by webhook or mail of what happens in a project."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from baygrid.api import notice_schemas, paging, render, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import notices
from baygrid.ports.notices import Subscription

router = APIRouter(route_class=Route, tags=["notifications"])


@router.get("/v1/notifications", response_model=schemas.Listing[notice_schemas.Subscription])
def list_notifications(
    call: Caller,
    project: str | None = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """Of a project; of all where an operator names none. `failures`, `said`: of what did not arrive."""
    rows = notices.listed(call.platform, call.actor, project)
    page, next = paging.window(rows, lambda it: it.row.id, cursor, limit)
    return Json(render.items([_document(it.row) | {"waiting": it.waiting} for it in page], next))


@router.post("/v1/notifications", status_code=201, response_model=notice_schemas.NewSubscription)
def add_notification(
    call: Caller,
    body: Annotated[notice_schemas.Wanted, reads(notice_schemas.Wanted)],
) -> Json:
    """The answer to an https target has the secret that signs what goes there, once."""
    made = notices.add(call.platform, call.actor, body.project, body.target, body.topics, body.language)
    return Json(_document(made.row) | {"secret": made.secret or None}, 201)


@router.delete("/v1/notifications/{notification}", status_code=204)
def remove_notification(notification: str, call: Caller) -> Response:
    """What it was still to be told it is not told any more."""
    notices.remove(call.platform, call.actor, notification)
    return Response(status_code=204)


@router.post("/v1/notifications/{notification}/test", status_code=202, response_model=notice_schemas.Told)
def test_notification(notification: str, call: Caller) -> Json:
    """Sends it a notice that tells of nothing; the list tells whether it arrived."""
    return Json(_document(notices.test(call.platform, call.actor, notification)), 202)


def _document(row: Subscription) -> dict[str, Any]:
    return {
        "id": row.id,
        "project": row.project,
        "target": notices.shown(row.target),
        "topics": list(row.topics),
        "language": row.language,
        "made_at": render.instant(row.made_at),
        "made_by": row.made_by,
        "told_at": render.instant_or_none(row.told_at),
        "failures": row.failures,
        "said": row.said,
    }
