"""How many nodes an attempt has, also where its centre chooses which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTED = {
    "sqlite": "UPDATE attempts SET count = json_array_length(nodes) WHERE nodes <> '[]'",
    "postgresql": "UPDATE attempts SET count = json_array_length(nodes::json) WHERE nodes <> '[]'",
}


def upgrade() -> None:
    """Attempts of before have as many as are named; one that names none counted as one."""
    op.add_column("attempts", sa.Column("count", _NUMBER, nullable=False, server_default=sa.text("1")))
    op.execute(_COUNTED[op.get_bind().dialect.name])
