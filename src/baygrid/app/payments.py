"""Money that comes in and goes out: what projects pay ahead, and payments of invoices, claims and
settlements. Each is booked once by its reference, however often it is told."""

from __future__ import annotations

from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.allocations import Wanted, allot
from baygrid.app.papers import NOUNS
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.core.pricing.accounts import centre_account, receivable_account, support_account
from baygrid.core.pricing.allocations import Source
from baygrid.core.pricing.paper_postings import received_postings
from baygrid.core.pricing.postings import Posting, Transaction
from baygrid.core.units import Money
from baygrid.ports.papers import PaperKind, PaperRow, Party, PaymentRow
from baygrid.ports.records import Event
from baygrid.ports.store import Conflict, Exists, Tx

PARTIES: Final = {
    PaperKind.INVOICE: Party.PROJECT,
    PaperKind.SETTLEMENT: Party.CENTRE,
    PaperKind.CLAIM: Party.POOL,
}
_MOST: Final = 2**61


def payments(platform: Platform, actor: Actor, project: str | None) -> list[PaymentRow]:
    """In the order of booking. A team sees its own project's, an operator all, or those of one project."""
    project = project or actor.project
    permit(actor, Action.OPERATE if project is None else Action.READ, project=project)
    party = None if project is None else Party.PROJECT
    return platform.store.read(lambda tx: tx.papers.payments(party, project))


def pay_in(platform: Platform, actor: Actor, project: str, amount: Money, reference: str) -> PaymentRow:
    """A project pays ahead: it may spend so much more, and jobs that waited for money may go on. Raises
    Invalid, NotFound; WrongState for a reference that stands for another payment."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> PaymentRow:
        of = find_project(tx, project)
        row = _row(actor, Party.PROJECT, project, reference, None, amount, of.currency, now)
        if (earlier := _earlier(tx, row)) is not None:
            return earlier
        _book(tx, row)
        wanted = Wanted(amount, f"payment {row.reference}", Source.PAYMENT)
        allot(platform, tx, of, wanted, actor.token_id, now)
        return row

    return platform.store.write(apply)


def pay(
    platform: Platform, actor: Actor, kind: PaperKind, number: str, amount: Money, reference: str
) -> PaymentRow:
    """An invoice or a claim is paid to the platform, a settlement by it; in parts, if need be. Raises
    Invalid, NotFound; WrongState for more than is due, and for a reference that stands for another
    payment."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> PaymentRow:
        due, found = tx.papers.lock_due(kind, number), tx.papers.paper(kind, number)
        if due is None or found is None:
            raise NotFound(f"there is no {NOUNS[kind]} {number!r}")
        paper, _ = found
        row = _row(actor, PARTIES[kind], paper.subject, reference, number, amount, paper.currency, now)
        if (earlier := _earlier(tx, row)) is not None:
            return earlier
        if amount.minor > due.left:
            left = Money(due.left, paper.currency)
            raise WrongState(f"of {NOUNS[kind]} {number} {left} is left to pay, less than {amount}")
        tx.papers.settle(kind, number, paid=amount.minor)
        _book(tx, row)
        what = f"payment {row.reference} of {NOUNS[kind]} {number}"
        id = platform.ids.new("txn", now)
        tx.money.post(
            [Transaction(id, row.key, now, what, _paid(paper, amount), (f"{kind.value}:{number}",))]
        )
        return row

    return platform.store.write(apply)


def _paid(paper: PaperRow, amount: Money) -> tuple[Posting, ...]:
    if paper.kind is PaperKind.INVOICE:
        return received_postings(receivable_account(paper.subject), amount)
    if paper.kind is PaperKind.CLAIM:
        return received_postings(support_account(paper.subject), amount)
    return received_postings(centre_account(paper.subject), -amount)


def _row(
    actor: Actor,
    party: Party,
    subject: str,
    reference: str,
    number: str | None,
    amount: Money,
    currency: str,
    now: int,
) -> PaymentRow:
    if not reference.strip():
        raise Invalid.at("reference", "is empty: say the bank's, so that no payment is booked twice")
    if amount.currency != currency:
        raise Invalid.at("amount", f"{number or subject} is in {currency}, not {amount.currency}")
    if not 0 < amount.minor <= _MOST:
        raise Invalid.at("amount", f"must be more than zero, and what a ledger can hold, not {amount}")
    return PaymentRow(party, subject, reference.strip(), number, amount.minor, currency, now, actor.token_id)


def _earlier(tx: Tx, row: PaymentRow) -> PaymentRow | None:
    """What was booked by this reference before. Raises WrongState where that was something else."""
    found = tx.papers.payment(row.party, row.subject, row.reference)
    if found is None or (found.number, found.amount) == (row.number, row.amount):
        return found
    what = f"of {found.number}" if found.number else "ahead"
    raise WrongState(
        f"reference {row.reference!r} of {row.subject} is a payment {what} over"
        f" {Money(found.amount, found.currency)}: say another one"
    )


def _book(tx: Tx, row: PaymentRow) -> None:
    try:
        tx.papers.insert_payment(row)
    except Exists:
        raise Conflict from None  # told twice at once: the second one looks again
    data = {"reference": row.reference, "number": row.number, "minor": row.amount}
    project = row.subject if row.party is Party.PROJECT else None
    centre = row.subject if row.party is Party.CENTRE else None
    tx.events.append([Event(row.at, "payment-booked", project, centre=centre, data=data)])
