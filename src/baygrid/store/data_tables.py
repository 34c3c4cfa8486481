"""The tables of the data service: parties, the catalogue, what was wished for, the audit."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index

from baygrid.store.columns import integer, string, table

parties = table(
    "parties",
    string("organisation", primary_key=True),
    integer("version", primary_key=True, autoincrement=False),
    string("facts"),
    string("pilot", nullable=True),
    integer("made_at"),
    string("made_by"),
)

# `source_table`: of PostgreSQL. `columns`, `labels`: documents.
data_tables = table(
    "data_tables",
    string("project", primary_key=True),
    string("name", primary_key=True),
    integer("version", primary_key=True, autoincrement=False),
    string("title"),
    string("place"),
    string("format"),
    string("uri"),
    string("source_table"),
    string("secret", nullable=True),
    string("columns"),
    string("labels"),
    string("confirmed_by", nullable=True),
    integer("open"),
    integer("made_at"),
    string("made_by"),
)

# `wish`: what was written, made such that the same wish is the same text.
table_wanted = table(
    "table_wanted",
    string("wish", primary_key=True),
    string("project", primary_key=True),
    string("text"),
    integer("times"),
    integer("first_at"),
    integer("last_at"),
)

audit = table(
    "audit",
    integer("n", primary_key=True, autoincrement=False),
    integer("at"),
    string("kind"),
    string("contract", nullable=True),
    string("project", nullable=True),
    string("data"),
    string("salt"),
    string("previous"),
    string("hash"),
    Index(None, "contract", "n"),
    Index(None, "project", "n"),
)

# The last link: whoever appends locks it.
audit_end = table(
    "audit_end",
    integer("one", primary_key=True, autoincrement=False),
    integer("n"),
    string("hash"),
    CheckConstraint("one = 1", name="one"),
)
