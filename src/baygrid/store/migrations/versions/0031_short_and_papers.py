"""Jobs that lack money by what they ask for, papers by month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    short = sa.text("state = 'HELD' AND cause = 'money'")
    op.drop_index("jobs_short_of_money", "jobs")
    op.create_index(
        "jobs_short_of_money",
        "jobs",
        ["project", "state", "cause", "id", "asked"],
        sqlite_where=short,
        postgresql_where=short,
    )
    op.create_index("papers_by_kind_month_number", "papers", ["kind", "month", "number"])
