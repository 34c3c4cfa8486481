"""Contracts about data: asked for, talked about, agreed, ended; what the law wants; whom they show."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from baygrid.api import contract_bodies, contract_schemas, paging, render, render_contracts, schemas
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.app import contract_documents, contracts, gates, persons, renewals
from baygrid.app.access import Action
from baygrid.app.contract_terms import Wanted
from baygrid.app.contract_view import whole
from baygrid.core.data import odrl
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Mode, Terms

router = APIRouter(route_class=Route, tags=["contracts"])

_Terms = Annotated[contract_bodies.Terms, reads(contract_bodies.Terms)]
_Why = Annotated[contract_bodies.Why, reads(contract_bodies.Why)]


@router.get("/v1/contracts", response_model=schemas.Listing[contract_schemas.ContractLine])
def list_contracts(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """Of which the project is one side; of an operator all. Newest first."""
    found = contracts.contracts(call.platform, call.actor, cursor, limit + 1)
    next = found[limit - 1].row.id if len(found) > limit else None
    return Json(render.items(map(render_contracts.line, found[:limit]), next))


@router.post("/v1/contracts", status_code=201, response_model=contract_schemas.Contract)
def request_contract(
    call: Caller,
    body: Annotated[contract_bodies.NewContract, reads(contract_bodies.NewContract)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Asks for tables. Where they are open to everybody the contract is final at once."""
    key = once(idempotency_key, "contract", body)
    made = contracts.request(
        call.platform, call.actor, _wanted(body), consumer=body.project, share=body.share, once=key
    )
    return _shown(call, made.row.id, 201)


@router.get("/v1/contracts/{contract}", response_model=contract_schemas.Contract)
def get_contract(contract: str, call: Caller) -> Json:
    """With its steps, what the law says of it today, and what is still to be done."""
    return Json(render_contracts.contract(whole(call.platform, call.actor, contract)))


@router.get("/v1/contracts/{contract}/odrl", response_model=dict[str, Any])
def get_odrl(contract: str, call: Caller) -> Json:
    """As other dataspaces read it: a negotiation of the Dataspace Protocol with its ODRL offer or
    agreement."""
    found = whole(call.platform, call.actor, contract)
    return Json(odrl.negotiation(render_contracts.contract(found)))


@router.get("/v1/contracts/{contract}/documents", response_model=contract_schemas.Documents)
def get_documents(contract: str, call: Caller) -> Json:
    """Drafts for counsel: the impact assessment, annexes, a checklist with its clocks."""
    return Json({"files": contract_documents.documents(call.platform, call.actor, contract)})


@router.post("/v1/contracts/{contract}/request", response_model=contract_schemas.Contract)
def ask_again(contract: str, call: Caller, body: _Terms) -> Json:
    """The consumer asks for something else than was offered."""
    contracts.ask_again(call.platform, call.actor, contract, _wanted(body))
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/offer", response_model=contract_schemas.Contract)
def offer_contract(contract: str, call: Caller, body: _Terms) -> Json:
    """The provider says under what terms."""
    contracts.offer(call.platform, call.actor, contract, _wanted(body))
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/accept", response_model=contract_schemas.Contract)
def accept_contract(contract: str, call: Caller) -> Json:
    """The consumer takes what was offered."""
    contracts.accept(call.platform, call.actor, contract)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/agree", response_model=contract_schemas.Contract)
def agree_contract(contract: str, call: Caller) -> Json:
    """The provider agrees, if the law can decide and does not prohibit it; else the answer names why not."""
    gates.agree(call.platform, call.actor, contract)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/verify", response_model=contract_schemas.Contract)
def verify_contract(contract: str, call: Caller) -> Json:
    """The consumer confirms what was agreed."""
    contracts.verify(call.platform, call.actor, contract)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/finalize", response_model=contract_schemas.Contract)
def finalize_contract(contract: str, call: Caller) -> Json:
    """From now on it can be read, if all that the law wants first is recorded."""
    gates.finalize(call.platform, call.actor, contract)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/suspend", response_model=contract_schemas.Contract)
def suspend_contract(contract: str, call: Caller, body: _Why) -> Json:
    """Nothing is read until the same side resumes it."""
    contracts.suspend(call.platform, call.actor, contract, body.reason)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/resume", response_model=contract_schemas.Contract)
def resume_contract(contract: str, call: Caller) -> Json:
    """Lifts the asker's own suspension; else the platform's, if the law lets it."""
    gates.resume(call.platform, call.actor, contract)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/terminate", response_model=contract_schemas.Contract)
def terminate_contract(contract: str, call: Caller, body: _Why) -> Json:
    """Ends it, at once and for good; the next read is refused."""
    contracts.terminate(call.platform, call.actor, contract, body.reason)
    return _shown(call, contract)


@router.post("/v1/contracts/{contract}/renew", status_code=201, response_model=contract_schemas.Contract)
def renew_contract(
    contract: str,
    call: Caller,
    body: Annotated[contract_bodies.Renewal, reads(contract_bodies.Renewal)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """A new contract that follows this one under the same share."""
    key = once(idempotency_key, "renew", contract, body)
    made = renewals.renew(call.platform, call.actor, contract, body.until, key)
    return _shown(call, made.row.id, 201)


@router.post("/v1/contracts/{contract}/records", response_model=contract_schemas.Contract)
def record_obligation(
    contract: str, call: Caller, body: Annotated[contract_bodies.NewRecord, reads(contract_bodies.NewRecord)]
) -> Json:
    """Somebody answers for it that an obligation was met; saying it again replaces what was said."""
    new = Record(body.by, body.day, body.sha256, body.reference, body.note)
    gates.record(call.platform, call.actor, contract, body.obligation, new)
    return _shown(call, contract)


@router.get("/v1/persons", response_model=contract_schemas.Counted)
def count_persons(
    call: Caller,
    organisation: Annotated[
        str | None, Query(max_length=200, description="of an operator; else one's own")
    ] = None,
) -> Json:
    """Distinct persons whom an exporter has shown this year, and the thresholds ahead."""
    return Json(render_contracts.counted(persons.counted(call.platform, call.actor, organisation)))


def _shown(call: Call, id: str, status: int = 200) -> Json:
    """After a step of the caller's, who may not be one that reads otherwise."""
    return Json(render_contracts.contract(whole(call.platform, call.actor, id, Action.USE)), status)


def _wanted(body: contract_bodies.Terms) -> Wanted:
    tables = None
    if body.tables is not None:
        tables = {
            ref: Terms(
                None if it.columns is None else tuple(it.columns), it.filter, it.masks, Mode(it.mode), it.k
            )
            for ref, it in body.tables.items()
        }
    return Wanted(
        tables,
        body.purpose,
        body.ground,
        body.choice,
        body.onward,
        body.scope,
        body.facts,
        body.start,
        body.until,
    )
