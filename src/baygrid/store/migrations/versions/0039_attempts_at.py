"""The attempts of one centre, newest first; what of its agent's last report was not believed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_index("attempts_by_centre_id", "attempts", ["centre", "id"])
    op.add_column("centres", sa.Column("refused", _STRING, server_default=sa.text("'{}'"), nullable=False))
