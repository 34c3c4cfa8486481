"""Tables of users: who they are, what they belong to, where they are signed in, how they come in."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text

from baygrid.store.columns import integer, string, table

users = table(
    "users",
    string("id", primary_key=True),
    string("issuer"),
    string("subject"),
    string("name"),
    string("email"),
    string("language"),
    integer("created_at"),
    integer("disabled_at", nullable=True),
    string("password", nullable=True),
    UniqueConstraint("issuer", "subject"),
)

# `issuer`: whose claims say so; '' where somebody here made it.
memberships = table(
    "memberships",
    string("user", ForeignKey("users.id"), primary_key=True),
    string("kind", primary_key=True),
    string("name", primary_key=True),
    string("issuer", primary_key=True),
    string("level"),
    integer("made_at"),
    string("made_by"),
    Index(None, "kind", "name"),
)

# They stay: what a session did names it.
sessions = table(
    "sessions",
    string("id", primary_key=True),
    string("sha256", unique=True),
    string("user", ForeignKey("users.id")),
    string("hat"),
    string("csrf"),
    integer("created_at"),
    integer("seen_at"),
    integer("expires_at"),
    integer("ended_at", nullable=True),
    Index(None, "user", "id"),
)

guesses = table(
    "guesses",
    string("key", primary_key=True),
    integer("count"),
    integer("last_at", index=True),
    integer("until"),
)

# Good once. `email`: for whom it is, as far as whoever made it says.
invitations = table(
    "invitations",
    string("id", primary_key=True),
    string("sha256", unique=True),
    string("kind"),
    string("name"),
    string("level"),
    string("email"),
    integer("made_at"),
    string("made_by"),
    integer("expires_at"),
    integer("used_at", nullable=True),
    string("used_by", nullable=True),
    integer("revoked_at", nullable=True),
    Index(None, "kind", "name"),
)

# A device that asks for a token, by RFC 8628. `code`: what its user types; `user`, `hat` and `scopes` of who
# has confirmed it.
devices = table(
    "devices",
    string("id", primary_key=True),
    string("sha256", unique=True),
    string("code", unique=True),
    string("label"),
    integer("made_at"),
    integer("expires_at"),
    integer("asked_at", server_default=text("0")),
    string("state"),
    string("user", nullable=True),
    string("hat", nullable=True),
    string("scopes", nullable=True),
)
