"""Attempts that have a part of an accelerator."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    share = sa.Column("accelerator_share", _NUMBER, nullable=False, server_default=sa.text("1000"))
    slots = sa.Column("accelerator_slots", _STRING, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("attempts", share)
    op.add_column("attempts", slots)
