"""Papers as they are issued and read: a sealed document each."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

import orjson

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound
from baygrid.core.pricing import beancount as beancount_text
from baygrid.core.pricing.accounts import project_account, receivable_account
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document
from baygrid.core.units import Money
from baygrid.ports.papers import DueRow, PaperKind, PaperRow
from baygrid.ports.store import Tx

NOUNS = {
    PaperKind.INVOICE: "invoice",
    PaperKind.SETTLEMENT: "settlement",
    PaperKind.CLAIM: "claim",
    PaperKind.CREDIT_NOTE: "credit note",
}
_TOTALS = {PaperKind.SETTLEMENT: "payable", PaperKind.CREDIT_NOTE: "amount"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper with what is still due of it. `notes`: numbers of an invoice's credit notes."""

    row: PaperRow
    due: DueRow
    document: Document
    notes: tuple[str, ...] = ()


def sealed(kind: PaperKind, subject: str, document: Document, regards: str | None = None) -> PaperRow:
    """A document as the row that keeps it: its text is canonical (sorted keys, no spaces), so that its digest
    is that of what it says."""
    total = document[_TOTALS.get(kind, "total")]
    data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return PaperRow(
        kind,
        document["number"],
        document["month"],
        subject,
        document["currency"],
        document["issued_at"],
        Money.parse(total).minor,
        hashlib.sha256(data).hexdigest(),
        data.decode(),
        regards,
    )


def read_month(path: str, text: str) -> Month:
    """Raises Invalid."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise Invalid.at(path, str(error)) from None


def listed(
    platform: Platform,
    actor: Actor,
    kind: PaperKind,
    *,
    subject: str | None,
    month: str | None,
    after: str,
    limit: int,
) -> list[tuple[PaperRow, DueRow]]:
    """By number, beyond `after`. A team sees its own project's, a centre its own, an operator all."""
    subject = subject or _own(actor, kind)
    if subject is None:
        permit(actor, Action.OPERATE)
    else:
        _permit(actor, kind, subject)
    if month is not None:
        read_month("month", month)
    return platform.store.read(lambda tx: tx.papers.page(kind, subject, month, after, limit))


def shown(platform: Platform, actor: Actor, kind: PaperKind, number: str) -> Shown:
    """Raises NotFound, also for what this actor must not know of."""
    return platform.store.read(lambda tx: find(tx, actor, kind, number))


def find(tx: Tx, actor: Actor, kind: PaperKind, number: str) -> Shown:
    """As `shown`."""
    _permit(actor, kind, _own(actor, kind) or "")
    found = tx.papers.paper(kind, number)
    if found is not None:
        row, due = found
        with suppress(NotFound, Forbidden):
            _permit(actor, kind, row.subject)
            notes = tx.papers.regarding(number) if kind is PaperKind.INVOICE else []
            return Shown(row, due, orjson.loads(row.document), tuple(notes))
    raise NotFound(f"there is no {NOUNS[kind]} {number!r}")


def beancount(platform: Platform, actor: Actor, number: str) -> str:
    """The ledger's transactions of an invoice's project in its month, as Beancount text."""

    def load(tx: Tx) -> str:
        row = find(tx, actor, PaperKind.INVOICE, number).row
        month = Month.parse(row.month)
        accounts = [project_account(row.subject), receivable_account(row.subject)]
        moved = tx.money.movements(accounts, month.start, month.end)
        return beancount_text.render(moved, f"Baygrid, project {row.subject}, invoice {number}")

    return platform.store.read(load)


def _own(actor: Actor, kind: PaperKind) -> str | None:
    """Whose papers of this kind an actor sees who names nobody; None: all."""
    return {PaperKind.SETTLEMENT: actor.centre, PaperKind.CLAIM: None}.get(kind, actor.project)


def _permit(actor: Actor, kind: PaperKind, subject: str) -> None:
    """Raises NotFound, Forbidden."""
    if kind is PaperKind.SETTLEMENT:
        permit(actor, Action.SETTLEMENT, centre=subject)
    elif kind is PaperKind.CLAIM:
        permit(actor, Action.OPERATE)
    else:
        permit(actor, Action.READ, project=subject)
