"""The tables of contracts about data: what was agreed, which persons that shows, who may read."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, UniqueConstraint

from baygrid.store.columns import integer, partial_index, string, table

# As it stands; how it came there is in `contract_steps`.
contracts = table(
    "contracts",
    string("id", primary_key=True),
    string("share"),
    integer("nth"),
    string("provider", ForeignKey("projects.name")),
    string("consumer", ForeignKey("projects.name")),
    string("exporter", ForeignKey("organisations.name")),
    string("purpose"),
    string("ground", nullable=True),
    string("choice", nullable=True),
    integer("onward"),
    string("scope", nullable=True),
    string("facts"),
    integer("start"),
    integer("until", nullable=True),
    string("state"),
    integer("made_at"),
    string("made_by"),
    string("suspensions"),
    string("decision", nullable=True),
    string("records"),
    integer("counts"),
    string("renews", nullable=True),
    integer("warned", nullable=True),
    integer("due", nullable=True),
    integer("version"),
    UniqueConstraint("consumer", "share", "nth"),
    Index(None, "provider", "id"),
    Index(None, "exporter", "id"),
    partial_index("contracts_due", "due IS NOT NULL", "due", "id"),
)

grants = table(
    "grants",
    string("id", primary_key=True),
    string("contract", ForeignKey("contracts.id")),
    string("project", ForeignKey("projects.name")),
    string("name"),
    string("terms"),
    string("shown"),
    integer("opened", nullable=True),
    integer("closed", nullable=True),
    UniqueConstraint("contract", "project", "name"),
)

contract_steps = table(
    "contract_steps",
    string("contract", ForeignKey("contracts.id"), primary_key=True),
    integer("n", primary_key=True, autoincrement=False),
    integer("at"),
    string("step"),
    string("side"),
    string("by"),
    string("data"),
)

exporters = table(
    "exporters",
    string("organisation", ForeignKey("organisations.name"), primary_key=True),
    string("key"),
    integer("version"),
)

person_counts = table(
    "person_counts",
    string("exporter", ForeignKey("exporters.organisation"), primary_key=True),
    integer("version", primary_key=True, autoincrement=False),
    integer("since", primary_key=True, autoincrement=False),
    integer("at"),
    integer("pi"),
    integer("spi"),
)

# A person is 16 bytes. No reference to the grant: a million rows would each be looked up.
exposures = table(
    "exposures",
    string("grant_id", primary_key=True),
    Column("person", LargeBinary, primary_key=True, nullable=False),
    integer("sensitive"),
    sqlite_with_rowid=False,
)

# Served in that year.
observations = table(
    "observations",
    string("grant_id", primary_key=True),
    integer("year", primary_key=True, autoincrement=False),
    Column("person", LargeBinary, primary_key=True, nullable=False),
    integer("sensitive"),
    sqlite_with_rowid=False,
)

recipients = table(
    "recipients",
    string("id", primary_key=True),
    string("project", ForeignKey("projects.name")),
    string("name"),
    integer("made_at"),
    string("made_by"),
    UniqueConstraint("project", "name"),
)

# `link` and `digest` are SHA-256 of secrets that nobody keeps.
recipient_tokens = table(
    "recipient_tokens",
    string("id", primary_key=True),
    string("recipient", ForeignKey("recipients.id")),
    string("link"),
    integer("link_until"),
    integer("lasts_ms"),
    integer("made_at"),
    string("made_by"),
    string("digest", nullable=True),
    integer("activated_at", nullable=True),
    integer("expires_at", nullable=True),
    integer("revoked_at", nullable=True),
    UniqueConstraint("link"),
    UniqueConstraint("digest"),
    Index(None, "recipient", "id"),
)
