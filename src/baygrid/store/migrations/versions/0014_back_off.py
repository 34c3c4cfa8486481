"""Until when a job that failed is not tried again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("not_before", _NUMBER, nullable=True))
    where = sa.text("state = 'HELD' AND cause = 'back-off'")
    op.create_index(
        "jobs_backing_off", "jobs", ["not_before", "id"], sqlite_where=where, postgresql_where=where
    )
