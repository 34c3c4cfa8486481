"""What a tariff has besides its rates: minimum, rounding up, egress, energy by the hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("tariffs", sa.Column("terms", _STRING, nullable=True))
