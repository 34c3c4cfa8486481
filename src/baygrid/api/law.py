"""The law across the border, asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from baygrid.api import bodies, law_schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import law

router = APIRouter(route_class=Route, tags=["law"])


@router.post("/v1/law/decide", response_model=law_schemas.Decision)
def decide_law(call: Caller, body: Annotated[bodies.Transfer, reads(bodies.Transfer)]) -> Json:
    """What the law makes of a transfer on a day, with every rule that was looked at. Not legal advice."""
    return Json(law.decide(call.platform, call.actor, body.facts, body.as_of).to_json())
