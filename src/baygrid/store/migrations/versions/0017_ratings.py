"""What centres were measured to do, and what their operators publish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("centre", _STRING, primary_key=True, nullable=False),
        sa.Column("partition", _STRING, primary_key=True, nullable=False),
        sa.Column("accelerator", _STRING, primary_key=True, nullable=False),
        sa.Column("profile", _STRING, primary_key=True, nullable=False),
        sa.Column("measured_at", _NUMBER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("stored_at", _NUMBER, nullable=False),
        sa.Column("public_key", _STRING, nullable=False),
        sa.Column("signature", _STRING, nullable=False),
        sa.Column("document", _STRING, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "plans",
        sa.Column("centre", _STRING, primary_key=True, nullable=False),
        sa.Column("set_at", _NUMBER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("set_by", _STRING, nullable=False),
        sa.Column("document", _STRING, nullable=False),
        sqlite_strict=True,
    )
    for table in ("ratings", "plans"):
        _append_only(table)


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
