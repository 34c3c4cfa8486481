"""The tables of money: what was used, what it cost and who paid, the ledger. See `tables` for all others."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text

from baygrid.store.columns import integer, partial_index, string, table

usage = table(
    "usage",
    string("attempt", primary_key=True),
    integer("n", primary_key=True, autoincrement=False),
    string("centre"),
    string("project"),
    string("job"),
    integer("stored_at"),
    string("public_key"),
    string("signature"),
    string("document"),
    Index(None, "centre", "stored_at"),
)

# Jobs that ran at a centre without Baygrid. Its own ids may come again after years. `*_s`: times so many.
outside = table(
    "outside",
    string("centre", primary_key=True),
    integer("end", primary_key=True, autoincrement=False),
    string("id", primary_key=True),
    string("account"),
    integer("cpu_s"),
    integer("accelerator_s"),
    integer("stored_at"),
    string("public_key"),
    string("signature"),
    string("document"),
)

charges = table(
    "charges",
    integer("number", Identity(always=True), primary_key=True),
    string("attempt"),
    integer("n"),
    string("job"),
    string("project"),
    string("centre"),
    string("offer"),
    integer("at"),
    string("currency"),
    integer("amount"),
    integer("overrun"),
    string("ledger"),
    string("lines"),
    integer("supported", server_default=text("0")),
    string("shares", server_default=text("'[]'")),
    string("covers", server_default=text("'[]'")),
    UniqueConstraint("attempt", "n"),
    Index(None, "project", "at"),
    Index(None, "at"),
    Index(None, "job"),
)

ledger = table(
    "ledger",
    string("id", primary_key=True),
    string("key", unique=True),
    integer("at"),
    string("narration"),
    string("sources"),
    Index(None, "at"),
    partial_index("ledger_others", "substr(key, 1, 7) <> 'charge:'", "at"),
)

postings = table(
    "postings",
    string("ledger", ForeignKey("ledger.id"), primary_key=True),
    integer("n", primary_key=True, autoincrement=False),
    string("account"),
    string("currency"),
    integer("amount"),
    Index(None, "account"),
)

# Money of one payer, under one clause, that vouchers draw on. Drawn from by conditional updates.
pools = table(
    "pools",
    string("name", primary_key=True),
    string("payer"),
    string("rulebook"),
    string("clause"),
    string("currency"),
    integer("amount"),
    integer("paid"),
    integer("made_at"),
    string("made_by"),
    CheckConstraint("paid >= 0 AND paid <= amount", name="left"),
)

# `rate` is an exact fraction; `base`, `paid` and `carry` are `core.pricing.vouchers.Drawn`.
vouchers = table(
    "vouchers",
    string("id", primary_key=True),
    string("organisation", ForeignKey("organisations.name")),
    string("project", nullable=True),
    string("pool", ForeignKey("pools.name")),
    string("rate"),
    integer("cap"),
    integer("contract", nullable=True),
    integer("valid_from"),
    integer("valid_until"),
    integer("base"),
    integer("paid"),
    integer("carry"),
    integer("issued_at"),
    string("issued_by"),
    string("finding"),
    integer("revoked_at", nullable=True),
    CheckConstraint("paid >= 0 AND paid <= cap", name="cap"),
    CheckConstraint("contract IS NULL OR base <= contract", name="contract"),
    Index(None, "organisation", "valid_until"),
)

# Units of an offer for sale. `rate` is an exact fraction; `sold`: units, `taken`: thousandths of a unit that
# spot jobs have now. Both grow by conditional updates.
listings = table(
    "listings",
    string("id", primary_key=True),
    string("kind"),
    string("offer", ForeignKey("offers.id")),
    string("currency"),
    string("rate"),
    integer("cpus"),
    integer("memory_mib"),
    integer("start"),
    integer("end"),
    integer("quantity"),
    integer("sold"),
    integer("taken"),
    integer("published_at"),
    string("published_by"),
    integer("closed_at", nullable=True),
    CheckConstraint("sold >= 0 AND sold <= quantity", name="sold"),
    CheckConstraint("taken >= 0 AND taken <= 1000 * quantity", name="taken"),
    Index(None, "closed_at"),
)

# What a project bought of a listing. `worth`, `booked` and `drawn`: thousandths of a unit times milliseconds;
# `amount` and `charged`: minor units.
trades = table(
    "trades",
    string("id", primary_key=True),
    string("listing", ForeignKey("listings.id")),
    string("project", ForeignKey("projects.name")),
    integer("units"),
    integer("worth"),
    integer("amount"),
    string("nodes"),
    integer("bought_at"),
    string("bought_by"),
    integer("taken"),
    integer("booked"),
    integer("drawn"),
    integer("charged"),
    integer("settled_at", nullable=True),
    CheckConstraint("taken >= 0 AND taken <= 1000 * units", name="taken"),
    CheckConstraint("booked >= 0 AND drawn >= 0 AND drawn + booked <= worth", name="worth"),
    CheckConstraint("charged >= 0 AND charged <= amount", name="charged"),
    Index(None, "project"),
    Index(None, "settled_at"),
)
