"""The tables of what projects are told outside of the platform."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Identity, Index

from baygrid.store.columns import integer, string, table

# `topics`: with a space between them.
subscriptions = table(
    "subscriptions",
    string("id", primary_key=True),
    string("project", ForeignKey("projects.name")),
    string("target"),
    string("topics"),
    string("language"),
    string("sealed"),
    string("key"),
    integer("made_at"),
    string("made_by"),
    integer("failures"),
    string("said"),
    integer("told_at", nullable=True),
    Index(None, "project", "made_at"),
)

# The outbox: written with the event, deleted when it was told.
notices = table(
    "notices",
    integer("n", Identity(always=True), primary_key=True),
    string("subscription"),
    integer("at"),
    string("kind"),
    string("project"),
    string("job", nullable=True),
    string("data"),
    integer("next_at"),
    Index(None, "next_at", "n"),
    Index(None, "subscription", "next_at"),
)
