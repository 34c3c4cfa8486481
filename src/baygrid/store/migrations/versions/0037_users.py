"""Users: memberships, sessions, guesses, invitations, devices; what tokens are good for, and whose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _string(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _STRING, primary_key=key, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def _table(name: str, *parts: sa.Column[str] | sa.Column[int] | sa.schema.Constraint) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def upgrade() -> None:
    op.add_column(
        "tokens", sa.Column("scopes", _STRING, nullable=False, server_default=sa.text("'read use'"))
    )
    op.add_column("tokens", _string("user", nullable=True))
    op.add_column("tokens", sa.Column("made_by", _STRING, nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE tokens SET scopes = 'manage read use' WHERE role = 'operator'")
    _table(
        "users",
        _string("id", key=True),
        _string("issuer"),
        _string("subject"),
        _string("name"),
        _string("email"),
        _string("language"),
        _number("created_at"),
        _number("disabled_at", nullable=True),
        _string("password", nullable=True),
        sa.UniqueConstraint("issuer", "subject", name="users_one_issuer_subject"),
    )
    _table(
        "memberships",
        _string("user", key=True),
        _string("kind", key=True),
        _string("name", key=True),
        _string("issuer", key=True),
        _string("level"),
        _number("made_at"),
        _string("made_by"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="memberships_user"),
    )
    op.create_index("memberships_by_kind_name", "memberships", ["kind", "name"])
    _table(
        "sessions",
        _string("id", key=True),
        _string("sha256"),
        _string("user"),
        _string("hat"),
        _string("csrf"),
        _number("created_at"),
        _number("seen_at"),
        _number("expires_at"),
        _number("ended_at", nullable=True),
        sa.UniqueConstraint("sha256", name="sessions_one_sha256"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="sessions_user"),
    )
    op.create_index("sessions_by_user_id", "sessions", ["user", "id"])
    _table("guesses", _string("key", key=True), _number("count"), _number("last_at"), _number("until"))
    op.create_index("guesses_by_last_at", "guesses", ["last_at"])
    _ways_in()


def _ways_in() -> None:
    _table(
        "invitations",
        _string("id", key=True),
        _string("sha256"),
        _string("kind"),
        _string("name"),
        _string("level"),
        _string("email"),
        _number("made_at"),
        _string("made_by"),
        _number("expires_at"),
        _number("used_at", nullable=True),
        _string("used_by", nullable=True),
        _number("revoked_at", nullable=True),
        sa.UniqueConstraint("sha256", name="invitations_one_sha256"),
    )
    op.create_index("invitations_by_kind_name", "invitations", ["kind", "name"])
    _table(
        "devices",
        _string("id", key=True),
        _string("sha256"),
        _string("code"),
        _string("label"),
        _number("made_at"),
        _number("expires_at"),
        sa.Column("asked_at", _NUMBER, nullable=False, server_default=sa.text("0")),
        _string("state"),
        _string("user", nullable=True),
        _string("hat", nullable=True),
        _string("scopes", nullable=True),
        sa.UniqueConstraint("sha256", name="devices_one_sha256"),
        sa.UniqueConstraint("code", name="devices_one_code"),
    )
