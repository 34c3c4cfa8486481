"""What datasets are in law, and where it does not let a job's go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("datasets", sa.Column("content", _STRING, nullable=True))
    op.add_column("jobs", sa.Column("bars", _STRING, nullable=True))
    takes = sa.text("bars IS NOT NULL")
    op.create_index("jobs_with_data", "jobs", ["state", "id"], sqlite_where=takes, postgresql_where=takes)
