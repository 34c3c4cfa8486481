"""What project demo has, for the table of who gets which page."""

from __future__ import annotations

from baygrid.app.papers import sealed
from baygrid.core.pricing.credit import Credited, CreditNote
from baygrid.core.pricing.invoice import Customer, Invoice, Settled
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.papers import PaperKind
from baygrid.ports.store import Tx
from tests.api.world import World

NUMBER = "2026-10-0001"


def paper(world: World) -> str:
    """The number of an invoice, and of a credit note of it."""
    now, month = world.clock(), Month(2026, 10)
    customer = Customer("uni", "Uni", "university")
    invoice = Invoice(NUMBER, "demo", customer, month, now, "CNY", (), (), Settled(), None, None).to_json()
    zero = Money.zero("CNY")
    note = CreditNote(NUMBER, invoice, month, now, "nothing", Credited(zero, zero, zero, zero)).to_json()

    def apply(tx: Tx) -> None:
        tx.papers.insert([(sealed(PaperKind.INVOICE, "demo", invoice), 0)])
        tx.papers.insert([(sealed(PaperKind.CREDIT_NOTE, "demo", note, regards=NUMBER), 0)])

    world.store.write(apply)
    return NUMBER
