"""Datasets, and how much of an attempt's inputs has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("staged_bytes", _NUMBER, nullable=False, server_default=sa.text("0")))
    op.add_column("attempts", sa.Column("staging_bytes", _NUMBER, nullable=True))
    op.create_table(
        "datasets",
        sa.Column("project", _STRING, primary_key=True, nullable=False),
        sa.Column("name", _STRING, primary_key=True, nullable=False),
        sa.Column("version", _NUMBER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("jurisdiction", _STRING, nullable=False),
        sa.Column("uri", _STRING, nullable=False),
        sa.Column("sha256", _STRING, nullable=True),
        sa.Column("bytes", _NUMBER, nullable=True),
        sa.Column("shared", _NUMBER, nullable=False),
        sa.Column("made_at", _NUMBER, nullable=False),
        sa.Column("made_by", _STRING, nullable=False),
        sa.Column("job", _STRING, nullable=True),
        sa.Column("lineage", _STRING, nullable=False),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER datasets_no_{verb.lower()} BEFORE {verb} ON datasets "
                "BEGIN SELECT RAISE(ABORT, 'datasets is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER datasets_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON datasets "
        "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
