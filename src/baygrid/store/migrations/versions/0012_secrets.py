"""Secrets of projects, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("project", _STRING, primary_key=True, nullable=False),
        sa.Column("name", _STRING, primary_key=True, nullable=False),
        sa.Column("sealed", _STRING, nullable=False),
        sa.Column("key", _STRING, nullable=False),
        sa.Column("set_at", _NUMBER, nullable=False),
        sa.Column("set_by", _STRING, nullable=False),
        sqlite_strict=True,
    )
