"""Credit notes: what an invoice said too much, taken back by an operator, with a reason."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.once import Once, answered
from baygrid.app.papers import Shown, find, sealed
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.releases import settle
from baygrid.core.pricing.allocations import Allocation, Source, next_look
from baygrid.core.pricing.credit import Credited, CreditNote, credited
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.paper_postings import credit_note_postings
from baygrid.core.pricing.papers import Document, number
from baygrid.core.pricing.postings import Transaction
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow
from baygrid.ports.basics import Instant
from baygrid.ports.papers import DueRow, PaperKind
from baygrid.ports.records import Event
from baygrid.ports.store import Tx


def credit(
    platform: Platform,
    actor: Actor,
    invoice: str,
    amount: Money,
    reason: str,
    once: Once | None = None,
) -> Shown:
    """Takes back `amount` of an invoice, tax and all: what is still due of it first, the rest is the
    project's to spend again. A key that was used before answers with the note of then.

    Raises Invalid, NotFound, IdempotencyMismatch; WrongState for more than is left of it.
    """
    permit(actor, Action.OPERATE)
    if not reason.strip():
        raise Invalid.at("reason", "is empty: the credit note says it")

    def apply(tx: Tx) -> Shown:
        due = tx.papers.lock_due(PaperKind.INVOICE, invoice)
        of = find(tx, actor, PaperKind.INVOICE, invoice)
        now = platform.clock()

        def work() -> str:
            at = tx.money.opened([now])[now]
            month = Month.of(at)
            parts = _parts(of.document, due or of.due, amount)
            place = tx.papers.next_place(PaperKind.CREDIT_NOTE, month)
            note = CreditNote(number(month, place), of.document, month, at, reason.strip(), parts)
            row = sealed(PaperKind.CREDIT_NOTE, of.row.subject, note.to_json(), regards=invoice)
            tx.papers.insert([(row, 0)])
            tx.papers.settle(
                PaperKind.INVOICE, invoice, forgiven=parts.forgiven.minor, credited=parts.amount.minor
            )
            _post(platform, tx, of.row.subject, row.number, note, actor.token_id)
            return row.number

        done = answered(tx, of.row.subject, once, now, work)
        return find(tx, actor, PaperKind.CREDIT_NOTE, done.answer.body)

    return platform.store.write(apply)


def _parts(invoice: Document, due: DueRow, amount: Money) -> Credited:
    currency = invoice["currency"]
    if amount.currency != currency:
        raise Invalid.at("amount", f"invoice {invoice['number']} is in {currency}, not {amount.currency}")
    tax = Money.zero(currency) if invoice["tax"] is None else Money.parse(invoice["tax"]["amount"])
    try:
        return credited(
            amount,
            before=Money(due.credited, currency),
            total=Money(due.total, currency),
            tax=tax,
            open_due=Money(due.left, currency),
        )
    except ValueError as error:
        raise WrongState(str(error)) from None


def _post(platform: Platform, tx: Tx, project: str, named: str, note: CreditNote, by: str) -> None:
    parts, at = note.parts, note.issued_at
    narration = f"credit note {named} of invoice {note.invoice['number']}: {note.reason}"
    key = f"credit-note:{named}"
    postings = credit_note_postings(project, parts)
    tx.money.post([Transaction(platform.ids.new("txn", at), key, at, narration, postings, (key,))])
    data = {"number": named, "invoice": note.invoice["number"], "amount": str(parts.amount), "by": by}
    tx.events.append([Event(at, "credit-note-issued", project, data=data)])
    if parts.returned.minor:
        _give_back(platform, tx, project, named, parts.returned, by, at)


def _give_back(
    platform: Platform, tx: Tx, project: str, named: str, money: Money, by: str, at: Instant
) -> None:
    """As an allocation without end, as if it were paid in: it stays when the one ends that it was drawn
    from."""
    id = platform.ids.new("allocation", at)
    it = Allocation(id, project, Source.PAYMENT, money, at, None, f"credit note {named}")
    tx.accounts.insert_allocation(AllocationRow(it, at, by, True, next_look(it, at, settled=False)))
    if not tx.money.move(project, granted=money.minor):
        raise AssertionError(f"{money} does not fit project {project!r}, though it was its before")
    settle(tx, (), [project], at)
