"""What papers are made with: taxes, the platform's fee, exchange rates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from baygrid.api import paper_schemas, render, render_papers, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.app import paper_rates
from baygrid.core.pricing.rates import RateKind

router = APIRouter(route_class=Route, tags=["papers"])

NewRate = Annotated[paper_schemas.NewRate, reads(paper_schemas.NewRate)]


def _listed(call: Call, kind: RateKind) -> Json:
    rows = paper_rates.rates(call.platform, call.actor, kind)
    return Json(render.items(map(render_papers.rate, rows)))


def _set(call: Call, kind: RateKind, body: paper_schemas.NewRate) -> Json:
    row = paper_rates.set_rate(call.platform, call.actor, kind, body.name, body.rate, body.since, body.source)
    return Json(render_papers.rate(row), 201)


@router.get("/v1/taxes", response_model=schemas.Listing[paper_schemas.Rate])
def list_taxes(call: Caller) -> Json:
    """As they were set; of one month the last one counts."""
    return _listed(call, RateKind.TAX)


@router.post("/v1/taxes", status_code=201, response_model=paper_schemas.Rate)
def set_tax(call: Caller, body: NewRate) -> Json:
    """On every invoice from a month on, until the next one begins."""
    return _set(call, RateKind.TAX, body)


@router.get("/v1/fees", response_model=schemas.Listing[paper_schemas.Rate])
def list_fees(call: Caller) -> Json:
    """As they were set; of one month the last one counts."""
    return _listed(call, RateKind.FEE)


@router.post("/v1/fees", status_code=201, response_model=paper_schemas.Rate)
def set_fee(call: Caller, body: NewRate) -> Json:
    """What the platform keeps of what centres earn, from a month on."""
    return _set(call, RateKind.FEE, body)


@router.get("/v1/exchange-rates", response_model=schemas.Listing[paper_schemas.ExchangeRate])
def list_exchange_rates(call: Caller) -> Json:
    """As they were set; of one day the last one counts."""
    rows = paper_rates.exchange_rates(call.platform, call.actor)
    return Json(render.items(map(render_papers.exchange_rate, rows)))


@router.post("/v1/exchange-rates", status_code=201, response_model=paper_schemas.ExchangeRate)
def add_exchange_rate(
    call: Caller, body: Annotated[paper_schemas.NewExchangeRate, reads(paper_schemas.NewExchangeRate)]
) -> Json:
    """Invoices of that day's month tell their total in the other currency, too."""
    row = paper_rates.add_exchange_rate(
        call.platform, call.actor, body.base, body.quote, body.rate, body.on, body.source
    )
    return Json(render_papers.exchange_rate(row), 201)
