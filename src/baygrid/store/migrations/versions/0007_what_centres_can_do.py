"""What the driver of each centre drives, and what it can do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    version = sa.Column("version", _STRING, nullable=False, server_default=sa.text("''"))
    op.add_column("inventories", version)
    op.add_column("inventories", sa.Column("capabilities", _STRING, nullable=True))
