"""Placement policies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column("valid_from", _NUMBER, nullable=False),
        sa.Column("set_at", _NUMBER, nullable=False),
        sa.Column("set_by", _STRING, nullable=False),
        sa.Column("document", _STRING, nullable=False),
        sa.Index(None, "valid_from", "id"),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER policies_no_{verb.lower()} BEFORE {verb} ON policies "
                "BEGIN SELECT RAISE(ABORT, 'policies is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER policies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policies "
        "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
