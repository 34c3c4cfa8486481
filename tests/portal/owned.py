"""What project demo has, for the table of who gets which page."""

from __future__ import annotations

from baygrid.app import contracts
from baygrid.app.access import Actor
from baygrid.app.contract_terms import Wanted
from baygrid.app.papers import sealed
from baygrid.core.data.terms import Terms
from baygrid.core.pricing.credit import Credited, CreditNote
from baygrid.core.pricing.invoice import Customer, Invoice, Settled
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.settlement import Settlement
from baygrid.core.units import Money
from baygrid.ports.data import TableRow
from baygrid.ports.papers import PaperKind
from baygrid.ports.reader import Column, Format
from baygrid.ports.records import Role
from baygrid.ports.store import Tx
from tests.api.world import World

NUMBER = "2026-10-0001"


def paper(world: World) -> str:
    """The number of an invoice, of a credit note of it, and of a settlement of centre far."""
    now, month = world.clock(), Month(2026, 10)
    customer = Customer("uni", "Uni", "university")
    invoice = Invoice(NUMBER, "demo", customer, month, now, "CNY", (), (), Settled(), None, None).to_json()
    settlement = Settlement(NUMBER, "far", month, now, "CNY", (), None).to_json()
    zero = Money.zero("CNY")
    note = CreditNote(NUMBER, invoice, month, now, "nothing", Credited(zero, zero, zero, zero)).to_json()

    def apply(tx: Tx) -> None:
        tx.papers.insert([(sealed(PaperKind.INVOICE, "demo", invoice), 0)])
        tx.papers.insert([(sealed(PaperKind.SETTLEMENT, "far", settlement), 0)])
        tx.papers.insert([(sealed(PaperKind.CREDIT_NOTE, "demo", note, regards=NUMBER), 0)])

    world.store.write(apply)
    return NUMBER


def table(world: World) -> str:
    """The name of a table that demo offers; nobody has said what its columns are."""
    row = TableRow(
        "demo", "ages", 1, "Ages", "CN-QH", Format.PARQUET, "s3://bay/patients/", "", None,
        (Column("age", "int64"),), {}, None, False, world.clock(), "tok-demo",
    )  # fmt: skip
    world.store.write(lambda tx: tx.catalogue.insert_table(row))
    return row.name


def contract(world: World) -> str:
    """Of demo, about the beds of a clinic."""
    world.clinic()
    wanted = Wanted({"clinic/beds": Terms()}, purpose="a study", ground="other")
    actor = Actor("tok-demo", Role.TEAM, "demo", project="demo")
    return contracts.request(world.platform, actor, wanted).row.id
