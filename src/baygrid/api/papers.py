"""Papers: invoices, settlements, claims and credit notes, the close that issues them, and what is paid."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from baygrid.api import paging, paper_schemas, render, render_papers, schemas
from baygrid.api.bill import TEXT
from baygrid.api.edge import Call, Caller, Json, Route, reads
from baygrid.api.jobs import IdempotencyKey, once
from baygrid.api.times import Time, instant_of
from baygrid.app import closing, credit_notes, papers, payments, statements
from baygrid.ports.papers import PaperKind

router = APIRouter(route_class=Route, tags=["papers"])

Name = Annotated[str | None, Query(max_length=200)]
InMonth = Annotated[str | None, Query(max_length=10, examples=["2026-11"])]
NewPayment = Annotated[paper_schemas.NewPayment, reads(paper_schemas.NewPayment)]


@router.get("/v1/closes", response_model=schemas.Listing[paper_schemas.Close])
def list_closes(call: Caller) -> Json:
    """Oldest first."""
    return Json(render.items(map(render_papers.close, closing.closes(call.platform, call.actor))))


@router.post("/v1/closes", response_model=paper_schemas.Closed)
def close_month(call: Caller, body: Annotated[paper_schemas.NewClose, reads(paper_schemas.NewClose)]) -> Json:
    """Issues the papers of a month that is over, once: asked again, it answers with the same. From then on
    nothing is posted into that month."""
    done = closing.close(call.platform, call.actor, body.month, dry_run=body.dry_run)
    return Json(render_papers.closed(done))


def _listed(
    call: Call, kind: PaperKind, subject: str | None, month: str | None, limit: int, cursor: str | None
) -> Json:
    rows = papers.listed(
        call.platform,
        call.actor,
        kind,
        subject=subject,
        month=month,
        after=cursor or "",
        limit=limit + 1,
    )
    next = rows[limit - 1][0].number if len(rows) > limit else None
    return Json(render.items((render_papers.line(*row) for row in rows[:limit]), next))


def _shown(call: Call, kind: PaperKind, number: str) -> Json:
    return Json(render_papers.paper(papers.shown(call.platform, call.actor, kind, number)))


@router.get("/v1/invoices", response_model=schemas.Listing[paper_schemas.PaperLine])
def list_invoices(
    call: Caller,
    project: Name = None,
    month: InMonth = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """By number: a team's own, of an operator all unless a project is named."""
    return _listed(call, PaperKind.INVOICE, project, month, limit, cursor)


@router.get("/v1/invoices/{number}", response_model=paper_schemas.Paper, responses=TEXT)
def get_invoice(number: str, call: Caller, format: Literal["json", "beancount"] = "json") -> Response:
    """`beancount`: the ledger's transactions of its project in its month."""
    if format == "beancount":
        return PlainTextResponse(papers.beancount(call.platform, call.actor, number))
    return _shown(call, PaperKind.INVOICE, number)


@router.post("/v1/invoices/{number}/credit-notes", status_code=201, response_model=paper_schemas.Paper)
def add_credit_note(
    number: str,
    call: Caller,
    body: Annotated[paper_schemas.NewCreditNote, reads(paper_schemas.NewCreditNote)],
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Takes back part of an invoice: what is still due of it first, the rest is the project's again."""
    key = once(idempotency_key, "credit", number, body.amount, body.reason)
    note = credit_notes.credit(
        call.platform,
        call.actor,
        number,
        body.amount,
        body.reason,
        key,
    )
    return Json(render_papers.paper(note), 201)


@router.get("/v1/credit-notes", response_model=schemas.Listing[paper_schemas.PaperLine])
def list_credit_notes(
    call: Caller,
    project: Name = None,
    month: InMonth = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """By number: a team's own, of an operator all unless a project is named."""
    return _listed(call, PaperKind.CREDIT_NOTE, project, month, limit, cursor)


@router.get("/v1/credit-notes/{number}", response_model=paper_schemas.Paper)
def get_credit_note(number: str, call: Caller) -> Json:
    return _shown(call, PaperKind.CREDIT_NOTE, number)


@router.get("/v1/settlements", response_model=schemas.Listing[paper_schemas.PaperLine])
def list_settlements(
    call: Caller,
    centre: Name = None,
    month: InMonth = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """By number: a centre's own, of an operator all unless a centre is named."""
    return _listed(call, PaperKind.SETTLEMENT, centre, month, limit, cursor)


@router.get("/v1/settlements/{number}", response_model=paper_schemas.Paper)
def get_settlement(number: str, call: Caller) -> Json:
    return _shown(call, PaperKind.SETTLEMENT, number)


@router.get("/v1/claims", response_model=schemas.Listing[paper_schemas.PaperLine])
def list_claims(
    call: Caller,
    pool: Name = None,
    month: InMonth = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """By number."""
    return _listed(call, PaperKind.CLAIM, pool, month, limit, cursor)


@router.get("/v1/claims/{number}", response_model=paper_schemas.Paper)
def get_claim(number: str, call: Caller) -> Json:
    return _shown(call, PaperKind.CLAIM, number)


def _paid(call: Call, kind: PaperKind, number: str, body: paper_schemas.NewPayment) -> Json:
    row = payments.pay(call.platform, call.actor, kind, number, body.amount, body.reference)
    return Json(render_papers.payment(row), 201)


@router.post("/v1/invoices/{number}/payments", status_code=201, response_model=paper_schemas.Payment)
def pay_invoice(number: str, call: Caller, body: NewPayment) -> Json:
    """A project pays what is due of it, or part of that."""
    return _paid(call, PaperKind.INVOICE, number, body)


@router.post("/v1/settlements/{number}/payments", status_code=201, response_model=paper_schemas.Payment)
def pay_settlement(number: str, call: Caller, body: NewPayment) -> Json:
    """The platform pays a centre."""
    return _paid(call, PaperKind.SETTLEMENT, number, body)


@router.post("/v1/claims/{number}/payments", status_code=201, response_model=paper_schemas.Payment)
def pay_claim(number: str, call: Caller, body: NewPayment) -> Json:
    """The payer of a pool pays."""
    return _paid(call, PaperKind.CLAIM, number, body)


@router.post("/v1/projects/{project}/payments", status_code=201, response_model=paper_schemas.Payment)
def pay_in(project: str, call: Caller, body: NewPayment) -> Json:
    """A project pays ahead and may spend so much more."""
    row = payments.pay_in(call.platform, call.actor, project, body.amount, body.reference)
    return Json(render_papers.payment(row), 201)


@router.get("/v1/payments", response_model=schemas.Listing[paper_schemas.Payment])
def list_payments(
    call: Caller,
    project: Name = None,
    limit: paging.Limit = paging.DEFAULT,
    cursor: paging.After = None,
) -> Json:
    """In the order of booking: a team's own, of an operator all unless a project is named."""
    rows = payments.payments(call.platform, call.actor, project)
    # A reference may be longer than a cursor.
    page, next = paging.window(rows, lambda row: hashlib.sha256(row.key.encode()).hexdigest(), cursor, limit)
    return Json(render.items(map(render_papers.payment, page), next))


@router.get("/v1/projects/{project}/statement", response_model=paper_schemas.Statement)
def get_statement(
    project: str,
    call: Caller,
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
) -> Json:
    """How its money moved in [from, to), from the ledger."""
    until = instant_of("to", end)
    row = statements.statement(
        call.platform,
        call.actor,
        project,
        instant_of("from", begin) or 0,
        call.platform.clock() + 1 if until is None else until,
    )
    return Json(render_papers.statement(row))
