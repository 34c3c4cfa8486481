"""What centres sell ahead (listings), and what projects bought of it (trades)."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query

from baygrid.api import paging, render, render_trading, schemas, trading_schemas
from baygrid.api.edge import Caller, Json, RenderedJson, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.app import listings, trading
from baygrid.app.trading import Order
from baygrid.ports.trading import TradeRow

router = APIRouter(route_class=Route, tags=["trading"])


@router.get("/v1/listings", response_model=schemas.Listing[trading_schemas.Listing])
def list_listings(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """Newest first, those that are over too."""
    rows = listings.listings(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    return Json(render.items(map(render_trading.listing, page), next))


@router.post("/v1/listings", status_code=201, response_model=trading_schemas.Listing)
def publish_listing(
    call: Caller, body: Annotated[trading_schemas.NewListing, reads(trading_schemas.NewListing)]
) -> Json:
    """By an operator, or by the agent of the offer's centre."""
    new = listings.New(
        body.offer,
        body.kind,
        body.quantity,
        body.rate,
        body.start,
        body.end,
        body.cpus,
        body.memory_mib,
    )
    return Json(render_trading.listing(listings.publish(call.platform, call.actor, new)), 201)


@router.post("/v1/listings/{listing}/trades", status_code=201, response_model=trading_schemas.Trade)
def buy(
    listing: str,
    call: Caller,
    body: Annotated[trading_schemas.NewTrade, reads(trading_schemas.NewTrade)],
    idempotency_key: IdempotencyKey = None,
) -> RenderedJson:
    """Buys units of a listing. 409 when fewer are left, 402 when the project has not so much free."""
    done = trading.buy(
        call.platform,
        call.actor,
        body.project,
        Order(listing, body.units, body.hours),
        once=once(idempotency_key, "buy", listing, body.model_dump_json()),
        render=_rendered,
    )
    headers = {"Idempotency-Replayed": "true"} if done.replayed else None
    return RenderedJson(done.answer.body, done.answer.status, headers)


def _rendered(row: TradeRow) -> str:
    return orjson.dumps(render_trading.trade(row)).decode()


@router.get("/v1/trades", response_model=schemas.Listing[trading_schemas.Trade])
def list_trades(
    call: Caller,
    project: Annotated[str | None, Query(max_length=200)] = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """Newest first; a team's own, of an operator all unless it names a project."""
    rows = trading.trades(call.platform, call.actor, project)
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    return Json(render.items(map(render_trading.trade, page), next))
