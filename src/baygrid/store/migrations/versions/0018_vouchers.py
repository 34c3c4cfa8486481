"""Pools and vouchers; what of a charge vouchers paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("charges", sa.Column("supported", _NUMBER, nullable=False, server_default=sa.text("0")))
    op.add_column("charges", sa.Column("shares", _STRING, nullable=False, server_default=sa.text("'[]'")))
    op.create_table(
        "pools",
        sa.Column("name", _STRING, primary_key=True, nullable=False),
        sa.Column("payer", _STRING, nullable=False),
        sa.Column("rulebook", _STRING, nullable=False),
        sa.Column("clause", _STRING, nullable=False),
        sa.Column("currency", _STRING, nullable=False),
        sa.Column("amount", _NUMBER, nullable=False),
        sa.Column("paid", _NUMBER, nullable=False),
        sa.Column("made_at", _NUMBER, nullable=False),
        sa.Column("made_by", _STRING, nullable=False),
        sa.CheckConstraint("paid >= 0 AND paid <= amount", name="left"),
        sqlite_strict=True,
    )
    op.create_table(
        "vouchers",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column(
            "organisation",
            _STRING,
            sa.ForeignKey("organisations.name", name="vouchers_organisation"),
            nullable=False,
        ),
        sa.Column("project", _STRING, nullable=True),
        sa.Column("pool", _STRING, sa.ForeignKey("pools.name", name="vouchers_pool"), nullable=False),
        sa.Column("rate", _STRING, nullable=False),
        sa.Column("cap", _NUMBER, nullable=False),
        sa.Column("contract", _NUMBER, nullable=True),
        sa.Column("valid_from", _NUMBER, nullable=False),
        sa.Column("valid_until", _NUMBER, nullable=False),
        sa.Column("base", _NUMBER, nullable=False),
        sa.Column("paid", _NUMBER, nullable=False),
        sa.Column("carry", _NUMBER, nullable=False),
        sa.Column("issued_at", _NUMBER, nullable=False),
        sa.Column("issued_by", _STRING, nullable=False),
        sa.Column("finding", _STRING, nullable=False),
        sa.CheckConstraint("paid >= 0 AND paid <= cap", name="cap"),
        sa.CheckConstraint("contract IS NULL OR base <= contract", name="contract"),
        sqlite_strict=True,
    )
    op.create_index("vouchers_by_organisation_valid_until", "vouchers", ["organisation", "valid_until"])
