"""What attempts took of trades, and charges by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for table in ("attempts", "charges"):
        op.add_column(table, sa.Column("covers", _STRING, nullable=False, server_default=sa.text("'[]'")))
