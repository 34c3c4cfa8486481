"""Parties of the data service: organisations with the facts that an operator has verified."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from baygrid.api import data_bodies, data_schemas, render, render_data, schemas
from baygrid.api.edge import Caller, Json, Route, reads
from baygrid.app import parties

router = APIRouter(route_class=Route, tags=["data"])


@router.get("/v1/parties", response_model=schemas.Listing[data_schemas.Party])
def list_parties(call: Caller) -> Json:
    """The newest version of each: of an operator all, of a team its own organisation."""
    return Json(render.items(map(render_data.party, parties.parties(call.platform, call.actor))))


@router.put("/v1/parties/{organisation}", response_model=data_schemas.Party)
def set_party(
    organisation: str, call: Caller, body: Annotated[data_bodies.PartyFacts, reads(data_bodies.PartyFacts)]
) -> Json:
    """In the place of what was said before. What is left out is unknown, and the law asks for it."""
    document = {"facts": body.facts, "pilot": body.pilot}
    return Json(render_data.party(parties.set_party(call.platform, call.actor, organisation, document)))
