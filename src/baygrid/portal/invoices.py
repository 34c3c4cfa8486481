"""Invoices and credit notes: what was used, out of which money it was paid, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from baygrid.app import papers, payments
from baygrid.app.rendering import Language
from baygrid.core.units import Money
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.papers import DueRow, PaperKind, PaperRow

AT_ONCE = 50
MOST_JOBS = 200
SOURCES = {"grant": N_("from grants"), "payment": N_("from what was paid in"), "credit": N_("on credit")}
NAMES = {
    Language.ENGLISH: "English",
    Language.SIMPLIFIED: "简体中文",
    Language.TRADITIONAL: "繁體中文",
    Language.JAPANESE: "日本語",
}


@dataclass(slots=True)
class Job:
    """What a paper charges for one job, in its currency."""

    id: str
    name: str
    centres: list[str]
    amount: Money
    supported: Money


def list_(visit: Visit) -> Response:
    found = _listed(visit, PaperKind.INVOICE, visit.asked("after"), AT_ONCE + 1)
    notes = _listed(visit, PaperKind.CREDIT_NOTE, "", AT_ONCE)
    next = found[AT_ONCE - 1][0].number if len(found) > AT_ONCE else ""
    paid = payments.payments(visit.platform, visit.actor, None)[-AT_ONCE:]
    return page(
        visit, "invoices/invoices.html", rows=found[:AT_ONCE], next=next, notes=notes, payments=paid[::-1]
    )


def _listed(visit: Visit, kind: PaperKind, after: str, limit: int) -> list[tuple[PaperRow, DueRow]]:
    return papers.listed(
        visit.platform, visit.actor, kind, subject=None, month=None, after=after, limit=limit
    )


def show(visit: Visit) -> Response:
    return _paper(visit, PaperKind.INVOICE)


def show_note(visit: Visit) -> Response:
    return _paper(visit, PaperKind.CREDIT_NOTE)


def _paper(visit: Visit, kind: PaperKind) -> Response:
    found = papers.shown(visit.platform, visit.actor, kind, visit.param("number"))
    return page(
        visit, f"invoices/{kind.value}.html", it=found, jobs=_jobs(found.document), most=MOST_JOBS,
        sources=SOURCES, names=NAMES, wanted=visit.language.tag,
    )  # fmt: skip


def _jobs(document: Mapping[str, object]) -> list[Job]:
    """The dearest first."""
    found: dict[str, Job] = {}
    charges = document.get("charges", ())
    assert isinstance(charges, list | tuple)
    for charge in charges:
        amount, supported = Money.parse(charge["amount"]), Money.parse(charge["supported"])
        zero = Money.zero(amount.currency)
        job = found.setdefault(charge["job"], Job(charge["job"], charge["job_name"], [], zero, zero))
        job.amount, job.supported = job.amount + amount, job.supported + supported
        if charge["centre"] not in job.centres:
            job.centres.append(charge["centre"])
    return sorted(found.values(), key=lambda it: (-it.amount.minor, it.id))


PAGES = (
    Page("invoices", list_, here="invoices"),
    Page("invoices/{number}", show, here="invoices"),
    Page("credit-notes/{number}", show_note, here="invoices"),
)
