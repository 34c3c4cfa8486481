"""Whom projects let tell outside of the platform, and what is still to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _string(name: str, *parts: sa.ForeignKey, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _STRING, *parts, primary_key=key, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        _string("id", key=True),
        _string("project", sa.ForeignKey("projects.name", name="subscriptions_project")),
        *map(_string, ("target", "topics", "language", "sealed", "key")),
        _number("made_at"),
        _string("made_by"),
        _number("failures"),
        _string("said"),
        _number("told_at", nullable=True),
        sqlite_strict=True,
    )
    op.create_index("subscriptions_by_project_made_at", "subscriptions", ["project", "made_at"])
    op.create_table(
        "notices",
        sa.Column("n", _NUMBER, sa.Identity(always=True), primary_key=True, nullable=False),
        _string("subscription"),
        _number("at"),
        _string("kind"),
        _string("project"),
        _string("job", nullable=True),
        _string("data"),
        _number("next_at"),
        sqlite_strict=True,
    )
    op.create_index("notices_by_next_at_n", "notices", ["next_at", "n"])
    op.create_index("notices_by_subscription_next_at", "notices", ["subscription", "next_at"])
