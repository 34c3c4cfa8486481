"""The tables of papers: what was issued, what is due of it, which months are closed, at which rates."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, UniqueConstraint

from baygrid.store.columns import integer, string, table

papers = table(
    "papers",
    string("kind", primary_key=True),
    string("number", primary_key=True),
    string("month"),
    string("subject"),
    string("currency"),
    integer("issued_at"),
    integer("total"),
    string("sha256"),
    string("document"),
    string("regards", nullable=True),
    Index(None, "kind", "subject"),
    Index(None, "kind", "month", "number"),
)

# What is left to pay and to take back. Changed under a lock; the table itself refuses to go below nothing.
dues = table(
    "dues",
    string("kind", primary_key=True),
    string("number", primary_key=True),
    integer("total"),
    integer("due"),
    integer("paid"),
    integer("forgiven"),
    integer("credited"),
    CheckConstraint("paid >= 0 AND forgiven >= 0 AND paid + forgiven <= due", name="left"),
    CheckConstraint("credited >= 0 AND credited <= total", name="credited"),
    ForeignKeyConstraint(["kind", "number"], ["papers.kind", "papers.number"]),
)

# What each invoice drew of which allocation.
draws = table(
    "draws",
    string("invoice", primary_key=True),
    string("allocation", primary_key=True),
    string("project"),
    integer("amount"),
    Index(None, "project"),
)

# `paper`: the number of what was paid.
payments = table(
    "payments",
    integer("number", Identity(always=True), primary_key=True),
    string("party"),
    string("subject"),
    string("reference"),
    string("paper", nullable=True),
    integer("amount"),
    string("currency"),
    integer("at"),
    string("booked_by"),
    UniqueConstraint("party", "subject", "reference"),
)

closes = table(
    "closes",
    string("month", primary_key=True),
    integer("until", unique=True),
    integer("closed_at"),
    string("closed_by"),
)

# `rate` is an exact fraction, `since` a month.
rates = table(
    "rates",
    integer("number", Identity(always=True), primary_key=True),
    string("kind"),
    string("name"),
    string("rate"),
    string("since"),
    string("source"),
    integer("set_at"),
    string("set_by"),
)

exchange_rates = table(
    "exchange_rates",
    integer("number", Identity(always=True), primary_key=True),
    string("base"),
    string("quote"),
    string("rate"),
    string("day"),
    string("source"),
    integer("set_at"),
    string("set_by"),
)
