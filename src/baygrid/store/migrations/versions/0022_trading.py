"""What centres sell ahead, and what projects bought of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0018"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column("kind", _STRING, nullable=False),
        sa.Column("offer", _STRING, sa.ForeignKey("offers.id", name="listings_offer"), nullable=False),
        sa.Column("currency", _STRING, nullable=False),
        sa.Column("rate", _STRING, nullable=False),
        sa.Column("cpus", _NUMBER, nullable=False),
        sa.Column("memory_mib", _NUMBER, nullable=False),
        sa.Column("start", _NUMBER, nullable=False),
        sa.Column("end", _NUMBER, nullable=False),
        sa.Column("quantity", _NUMBER, nullable=False),
        sa.Column("sold", _NUMBER, nullable=False),
        sa.Column("taken", _NUMBER, nullable=False),
        sa.Column("published_at", _NUMBER, nullable=False),
        sa.Column("published_by", _STRING, nullable=False),
        sa.Column("closed_at", _NUMBER, nullable=True),
        sa.CheckConstraint("sold >= 0 AND sold <= quantity", name="sold"),
        sa.CheckConstraint("taken >= 0 AND taken <= 1000 * quantity", name="taken"),
        sqlite_strict=True,
    )
    op.create_index("listings_by_closed_at", "listings", ["closed_at"])
    op.create_table(
        "trades",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column("listing", _STRING, sa.ForeignKey("listings.id", name="trades_listing"), nullable=False),
        sa.Column("project", _STRING, sa.ForeignKey("projects.name", name="trades_project"), nullable=False),
        sa.Column("units", _NUMBER, nullable=False),
        sa.Column("worth", _NUMBER, nullable=False),
        sa.Column("amount", _NUMBER, nullable=False),
        sa.Column("nodes", _STRING, nullable=False),
        sa.Column("bought_at", _NUMBER, nullable=False),
        sa.Column("bought_by", _STRING, nullable=False),
        sa.Column("taken", _NUMBER, nullable=False),
        sa.Column("booked", _NUMBER, nullable=False),
        sa.Column("drawn", _NUMBER, nullable=False),
        sa.Column("charged", _NUMBER, nullable=False),
        sa.Column("settled_at", _NUMBER, nullable=True),
        sa.CheckConstraint("taken >= 0 AND taken <= 1000 * units", name="taken"),
        sa.CheckConstraint("booked >= 0 AND drawn >= 0 AND drawn + booked <= worth", name="worth"),
        sa.CheckConstraint("charged >= 0 AND charged <= amount", name="charged"),
        sqlite_strict=True,
    )
    op.create_index("trades_by_project", "trades", ["project"])
    op.create_index("trades_by_settled_at", "trades", ["settled_at"])
