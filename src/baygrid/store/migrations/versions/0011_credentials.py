"""Tokens that are used once and for a short time, and credentials that take the place of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("tokens", sa.Column("expires_at", _NUMBER, nullable=True))
    op.add_column("tokens", sa.Column("used_by", _STRING, nullable=True))
    for table, name in (("tokens", "with_offers"), ("tokens", "fresh"), ("centres", "renewing")):
        op.add_column(table, sa.Column(name, _NUMBER, nullable=False, server_default=sa.text("0")))
