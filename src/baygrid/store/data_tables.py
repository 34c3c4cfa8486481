"""The tables of the data service: parties, the catalogue, what was wished for, the audit, shared files."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from baygrid.store.columns import integer, partial_index, string, table

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

ALIVE = "state IN ('FAILED', 'READY', 'WANTED')"
_SHOWN = ("grant", "kind", "terms", "lineage")
# What was made of a table for a grant. `terms`: a digest. A counted version has no `source_version`.
share_snapshots = table(
    "share_snapshots",
    string("id", primary_key=True),
    string("grant"),
    string("kind"),
    string("terms"),
    string("lineage"),
    string("fingerprint"),
    integer("source_version", nullable=True),
    integer("number"),
    string("columns"),
    string("state"),
    integer("at"),
    integer("changed_at"),
    integer("used_at"),
    integer("served_at"),
    integer("observed_at"),
    string("said"),
    string("holder"),
    integer("until"),
    Index(None, "grant"),
    Index(None, "state", "changed_at"),
    partial_index("share_snapshots_one_of_content", ALIVE, *_SHOWN, "fingerprint", unique=True),
    partial_index("share_snapshots_one_of_number", ALIVE, *_SHOWN, "number", unique=True),
)
share_files = table(
    "share_files",
    string("id", primary_key=True),
    string("snapshot"),
    integer("n"),
    string("sha256"),
    integer("size"),
    integer("rows"),
    string("stats"),
    string("change"),
    integer("persons", nullable=True),
    UniqueConstraint("snapshot", "n"),
)
