"""The region's placement policy, and what another one would have done."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter

from baygrid.api import bodies, paging, policy_schemas, render, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.api.problems import Unavailable
from baygrid.app import policies
from baygrid.app.fair_share import fair_shares
from baygrid.app.whatif import Change, GivenUp, apart, whatif

router = APIRouter(route_class=Route, tags=["policy"])


@router.get("/v1/policy", response_model=policy_schemas.Policy)
def get_policy(call: Caller) -> Json:
    """The policy in force."""
    return Json(render.policy(policies.policy(call.platform, call.actor)))


@router.put("/v1/policy", response_model=policy_schemas.Policy)
def put_policy(call: Caller, body: Annotated[bodies.NewPolicy, reads(bodies.NewPolicy)]) -> Json:
    """Replaces the policy in force, now or from a later time on; those before are kept."""
    row = policies.set_policy(call.platform, call.actor, body.document, body.valid_from)
    return Json(render.policy(row))


@router.get("/v1/policy/history", response_model=schemas.Listing[policy_schemas.Policy])
def list_policies(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """Newest first; also those that have yet to begin."""
    rows = policies.history(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    return Json(render.items(map(render.policy, page), next))


@router.get("/v1/policy/shares", response_model=schemas.Listing[policy_schemas.FairShare])
def list_fair_shares(call: Caller) -> Json:
    """What each project has had lately, and what its shares entitle it to."""
    return Json(render.items(map(asdict, fair_shares(call.platform, call.actor)), None))


@router.post("/v1/whatif", response_model=policy_schemas.WhatIfReport)
def ask_whatif(call: Caller, body: Annotated[bodies.WhatIf, reads(bodies.WhatIf)]) -> Json:
    """The region's history once as the region is and once with a change. May take minutes."""
    change = Change(body.policy, body.prices, body.centres)
    work = partial(apart, stop=lambda: call.server.hub.closed)
    try:
        told = whatif(call.platform, call.actor, change, work=work, since=body.since, seed=body.seed)
    except GivenUp:
        raise Unavailable("the server stops: ask again") from None
    times = {name: render.instant(told.pop(f"{name}_ms")) for name in ("from", "until")}
    return Json(times | told)
