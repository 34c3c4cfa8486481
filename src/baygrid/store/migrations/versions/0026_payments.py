"""Payments, and what invoices drew of allocations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "draws",
        sa.Column("invoice", _STRING, primary_key=True, nullable=False),
        sa.Column("allocation", _STRING, primary_key=True, nullable=False),
        sa.Column("project", _STRING, nullable=False),
        sa.Column("amount", _NUMBER, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("draws_by_project", "draws", ["project"])
    op.create_table(
        "payments",
        sa.Column("number", _NUMBER, sa.Identity(always=True), primary_key=True, nullable=False),
        sa.Column("party", _STRING, nullable=False),
        sa.Column("subject", _STRING, nullable=False),
        sa.Column("reference", _STRING, nullable=False),
        sa.Column("paper", _STRING, nullable=True),
        sa.Column("amount", _NUMBER, nullable=False),
        sa.Column("currency", _STRING, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.Column("booked_by", _STRING, nullable=False),
        sa.UniqueConstraint("party", "subject", "reference"),
        sqlite_strict=True,
    )
    for table in ("draws", "payments"):
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
