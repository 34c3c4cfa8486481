"""No price that was ever in force is changed or removed: every bill rests on them."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER tariffs_no_{verb.lower()} BEFORE {verb} ON tariffs "
                "BEGIN SELECT RAISE(ABORT, 'tariffs is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER tariffs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tariffs "
        "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
