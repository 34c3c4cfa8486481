"""Jobs that ran at centres without Baygrid; usage of a centre by when it came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_index("usage_by_centre_stored_at", "usage", ["centre", "stored_at"])
    op.create_table(
        "outside",
        sa.Column("centre", _STRING, primary_key=True, nullable=False),
        sa.Column("end", _NUMBER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column("account", _STRING, nullable=False),
        sa.Column("cpu_s", _NUMBER, nullable=False),
        sa.Column("accelerator_s", _NUMBER, nullable=False),
        sa.Column("stored_at", _NUMBER, nullable=False),
        sa.Column("public_key", _STRING, nullable=False),
        sa.Column("signature", _STRING, nullable=False),
        sa.Column("document", _STRING, nullable=False),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER outside_no_{verb.lower()} BEFORE {verb} ON outside "
                "BEGIN SELECT RAISE(ABORT, 'outside is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER outside_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outside "
        "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
