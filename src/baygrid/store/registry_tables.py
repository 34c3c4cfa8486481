"""The tables of the registry."""

from __future__ import annotations

from sqlalchemy import Index

from baygrid.store.columns import integer, partial_index, string, table

# `code`: with its scheme. `alike`, `document`: documents. `text`: folded, for searching.
registry_bodies = table(
    "registry_bodies",
    string("id", primary_key=True),
    integer("version"),
    string("code", nullable=True),
    string("alike"),
    string("text"),
    string("merged_into", nullable=True),
    string("organisation", nullable=True),
    string("document"),
    partial_index(
        "registry_bodies_one_code", "code IS NOT NULL AND merged_into IS NULL", "code", unique=True
    ),
)

registry_changes = table(
    "registry_changes",
    string("body", primary_key=True),
    integer("version", primary_key=True, autoincrement=False),
    string("change"),
    integer("at"),
    string("by"),
    string("person"),
    string("why"),
    string("data"),
    string("document"),
)

# `key`: what it is a figure of, `ports.registry.return_key`. `value`: a decimal.
registry_returns = table(
    "registry_returns",
    string("key", primary_key=True),
    string("body"),
    string("value"),
    string("unit"),
    string("source"),
    integer("at"),
    string("by"),
    Index(None, "body", "key"),
)

registry_zones = table(
    "registry_zones",
    integer("version", primary_key=True, autoincrement=False),
    string("document"),
    integer("at"),
    string("by"),
)

registry_imports = table(
    "registry_imports",
    string("id", primary_key=True),
    integer("at"),
    string("by"),
    string("files"),
    string("counts"),
)
