"""The exchange: its members and what their links carry."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from baygrid.api import bodies, exchange_schemas, render
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import exchange
from baygrid.core.placement.links import Measured
from baygrid.ports.basics import Instant
from baygrid.ports.records import MemberKind, MemberRecord

router = APIRouter(route_class=Route, tags=["exchange"])


@router.get("/v1/exchange", response_model=exchange_schemas.Exchange)
def get_exchange(call: Caller) -> Json:
    """Members, and the link from the exchange to each centre."""
    view, now = exchange.show(call.platform, call.actor), call.platform.clock()
    centres: list[render.Doc] = [{"name": name, "kind": "centre", "since": None} for name in view.centres]
    return Json(
        {
            "members": centres + [_member(row) for row in view.members],
            "links": [_link(link, now) for link in view.links],
        }
    )


@router.post("/v1/exchange/members", status_code=201, response_model=exchange_schemas.Member)
def add_member(call: Caller, body: Annotated[bodies.NewMember, reads(bodies.NewMember)]) -> Json:
    """A network or a cloud; centres are members by themselves."""
    row = exchange.add_member(call.platform, call.actor, body.name, MemberKind(body.kind))
    return Json(_member(row), 201)


@router.delete("/v1/exchange/members/{member}", status_code=204, response_class=Response)
def remove_member(member: str, call: Caller) -> Response:
    exchange.remove_member(call.platform, call.actor, member)
    return Response(status_code=204)


def _member(row: MemberRecord) -> render.Doc:
    return {"name": row.name, "kind": row.kind.value, "since": render.instant(row.added_at)}


def _link(link: exchange.Link, now: Instant) -> render.Doc:
    at = link.speed.measured_at
    return {
        "from": link.source,
        "to": link.target,
        "mbit_s": link.speed.bit_s / 1e6 if link.speed.bit_s else None,
        "origin": link.speed.origin.value,
        "gib_price": float(link.gib_price),
        "measured_at": None if at is None else render.instant(at),
        "age_s": None if at is None else max(0, (now - at) // 1000),
        "measured": None if link.measured is None else _measured(link.measured),
    }


def _measured(it: Measured) -> render.Doc:
    return {
        "mbit_s": None if it.bit_s is None else it.bit_s / 1e6,
        "latency_min_ms": None if it.least_us is None else it.least_us / 1000,
        "latency_median_ms": None if it.median_us is None else it.median_us / 1000,
        "loss": it.loss,
        "at": render.instant(it.at),
    }
