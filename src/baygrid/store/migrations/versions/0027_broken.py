"""Which attempts their centres took with them, for bills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    where = sa.text("(state = 'LOST' OR cause = 'interrupted')")
    columns = ["project", "ended_at", "id"]
    op.create_index("attempts_broken", "attempts", columns, sqlite_where=where, postgresql_where=where)
