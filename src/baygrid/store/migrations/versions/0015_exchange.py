"""The exchange: networks and clouds beside the centres, and what was measured of links."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("name", _STRING, primary_key=True, nullable=False),
        sa.Column("kind", _STRING, nullable=False),
        sa.Column("added_at", _NUMBER, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "links",
        sa.Column("source", _STRING, primary_key=True, nullable=False),
        sa.Column("target", _STRING, primary_key=True, nullable=False),
        sa.Column("samples", _STRING, nullable=False),
        sqlite_strict=True,
    )
