"""What centres with queues of their own were asked, and what they said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "estimates",
        sa.Column(
            "centre",
            _STRING,
            sa.ForeignKey("centres.name", name="estimates_centre"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("asked", _STRING, nullable=False),
        sa.Column("asked_at", _NUMBER, nullable=False),
        sa.Column("told", _STRING, nullable=False),
        sa.Column("told_at", _NUMBER, nullable=False),
        sqlite_strict=True,
    )
