"""The tables of accounts: what projects may spend, and how they asked for it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, text

from baygrid.store.columns import integer, partial_index, string, table

# `begun` 1: its amount is in the project's `granted`. `warned`: days before the end, of the last warning.
# `due`: when the leader is to look at it next.
allocations = table(
    "allocations",
    string("id", primary_key=True),
    string("project", ForeignKey("projects.name")),
    string("source"),
    integer("amount"),
    integer("start"),
    integer("end", nullable=True),
    string("purpose"),
    integer("returned", server_default=text("0")),
    integer("returns", server_default=text("0")),
    integer("begun", server_default=text("0")),
    integer("warned", nullable=True),
    integer("due", nullable=True),
    integer("made_at"),
    string("made_by"),
    string("application", nullable=True),
    CheckConstraint("returned >= 0 AND returned <= amount", name="returned"),
    Index(None, "project", "id"),
    partial_index("allocations_due", "due IS NOT NULL", "due", "id"),
)

# As it stands; how it came there is in `application_steps`.
applications = table(
    "applications",
    string("id", primary_key=True),
    string("project", ForeignKey("projects.name")),
    string("state"),
    integer("amount"),
    integer("start"),
    integer("end"),
    string("purpose"),
    string("renews", nullable=True),
    integer("recommended", nullable=True),
    integer("approved", nullable=True),
    string("allocation", nullable=True),
    integer("version"),
    Index(None, "project", "id"),
)

application_steps = table(
    "application_steps",
    string("application", ForeignKey("applications.id"), primary_key=True),
    integer("n", primary_key=True, autoincrement=False),
    string("step"),
    integer("at"),
    string("by"),
    integer("amount", nullable=True),
    string("words"),
)
