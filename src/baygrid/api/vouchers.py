"""Public support: pools of money under a clause, and vouchers that pay a share of what computing costs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from baygrid.api import bodies, render, render_money, schemas, voucher_schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.app import vouchers
from baygrid.app.entitlement import Asked

router = APIRouter(route_class=Route, tags=["support"])


@router.get("/v1/pools", response_model=schemas.Listing[voucher_schemas.Pool])
def list_pools(call: Caller) -> Json:
    return Json(render.items(map(render_money.pool, vouchers.pools(call.platform, call.actor))))


@router.post("/v1/pools", status_code=201, response_model=voucher_schemas.Pool)
def add_pool(call: Caller, body: Annotated[bodies.NewPool, reads(bodies.NewPool)]) -> Json:
    row = vouchers.add_pool(
        call.platform,
        call.actor,
        name=body.name,
        payer=body.payer,
        rulebook=body.rulebook,
        clause=body.clause,
        amount=body.amount,
    )
    return Json(render_money.pool(row), 201)


@router.post("/v1/pools/{pool}/changes", response_model=voucher_schemas.Pool)
def change_pool(
    pool: str,
    call: Caller,
    body: Annotated[bodies.PoolChange, reads(bodies.PoolChange)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Adds to what is left of it, or takes from that."""
    key = once(idempotency_key, "pool", pool, body.amount)
    return Json(render_money.pool(vouchers.change_pool(call.platform, call.actor, pool, body.amount, key)))


@router.get("/v1/vouchers", response_model=schemas.Listing[voucher_schemas.Voucher])
def list_vouchers(call: Caller, project: str | None = None) -> Json:
    """Those that a project may draw on: a team's own; of an operator all, unless it names one."""
    rows = vouchers.vouchers(call.platform, call.actor, project)
    return Json(render.items(map(render_money.voucher, rows)))


@router.get("/v1/vouchers/{voucher}", response_model=voucher_schemas.Voucher)
def get_voucher(voucher: str, call: Caller) -> Json:
    return Json(render_money.voucher(vouchers.voucher(call.platform, call.actor, voucher)))


@router.post("/v1/vouchers", status_code=201, response_model=voucher_schemas.Voucher)
def issue_voucher(call: Caller, body: Annotated[bodies.NewVoucher, reads(bodies.NewVoucher)]) -> Json:
    """From now on, if the clause of its pool finds the organisation eligible by these facts."""
    asked = Asked(body.organisation, body.project, body.pool, body.facts, body.cap, body.until)
    return Json(render_money.voucher(vouchers.issue(call.platform, call.actor, asked)), 201)


@router.post("/v1/vouchers/{voucher}/revoke", response_model=voucher_schemas.Voucher)
def revoke_voucher(voucher: str, call: Caller) -> Json:
    """It pays for nothing more; what it paid stays paid."""
    return Json(render_money.voucher(vouchers.revoke(call.platform, call.actor, voucher)))
