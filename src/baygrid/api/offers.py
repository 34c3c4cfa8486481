"""What centres offer at which price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter

from baygrid.api import bodies, paging, render, render_ratings, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.app import centres, offers, ratings
from baygrid.app.demand import by_place
from baygrid.app.offers import Rates
from baygrid.app.terms import EnergyRates
from baygrid.core.rating.value import Rating
from baygrid.ports.records import CentreRecord, Offer, PlanRow

router = APIRouter(route_class=Route, tags=["offers"])


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is shown with offers: their centres, and what these do."""

    centres: Mapping[str, CentreRecord]
    rated: Mapping[tuple[str, str, str | None], Sequence[Rating]]
    plans: Mapping[str, PlanRow]


def _render(call: Call, row: Offer, beside: _Beside) -> render.Doc:
    now, centre = call.platform.clock(), beside.centres.get(row.centre)
    reachable = centre is not None and centres.reachable(centre, now)
    rated = beside.rated.get((row.centre, row.partition, row.accelerator), ())
    shown = render_ratings.of_offer(row, rated, beside.plans.get(row.centre), now)
    return render.offer(row, now, reachable=reachable, state=centre.state if centre else None, ratings=shown)


def _beside(call: Call) -> _Beside:
    rows = {row.name: row for row in centres.centres(call.platform, call.actor)}
    known = ratings.ratings(call.platform, call.actor)
    return _Beside(rows, by_place(known.rows), known.plans)


def _rates(body: bodies.NewTariff) -> Rates:
    energy = None
    if (it := body.energy) is not None:
        energy = EnergyRates(it.price_kwh, it.utc_offset, it.watts_cpu, it.watts_accelerator)
    hours = (body.accelerator_hour, body.cpu_hour, body.gib_hour)
    return Rates(*hours, body.minimum_s, body.round_up_s, body.egress_gib, energy)


@router.get("/v1/offers", response_model=schemas.Listing[schemas.Offer])
def list_offers(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    rows = offers.offers(call.platform, call.actor)
    page, next = paging.window(rows, lambda row: row.id, cursor, limit)
    beside = _beside(call)
    return Json(render.items((_render(call, row, beside) for row in page), next))


@router.post("/v1/offers", status_code=201, response_model=schemas.Offer)
def add_offer(call: Caller, body: Annotated[bodies.NewOffer, reads(bodies.NewOffer)]) -> Json:
    row = offers.add_offer(
        call.platform,
        call.actor,
        id=body.id,
        centre=body.centre,
        partition=body.partition,
        accelerator=body.accelerator,
        currency=body.currency,
        rates=_rates(body),
        valid_from=body.valid_from,
    )
    return Json(_render(call, row, _beside(call)), 201)


@router.post("/v1/offers/{offer}/tariffs", status_code=201, response_model=schemas.Offer)
def add_tariff(offer: str, call: Caller, body: Annotated[bodies.NewTariff, reads(bodies.NewTariff)]) -> Json:
    """New prices from now or a later moment on; what ran before keeps its prices."""
    row = offers.add_tariff(call.platform, call.actor, offer, body.valid_from, _rates(body))
    return Json(_render(call, row, _beside(call)), 201)
