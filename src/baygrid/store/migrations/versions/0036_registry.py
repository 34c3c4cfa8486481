"""The registry: bodies, what was done to them, returns, zones, imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _string(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _STRING, primary_key=key, nullable=nullable)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, primary_key=key, nullable=False, autoincrement=not key and "auto")


def upgrade() -> None:
    op.create_table(
        "registry_bodies",
        _string("id", key=True),
        _number("version"),
        _string("code", nullable=True),
        _string("alike"),
        _string("text"),
        _string("merged_into", nullable=True),
        _string("organisation", nullable=True),
        _string("document"),
        sqlite_strict=True,
    )
    alone = sa.text("code IS NOT NULL AND merged_into IS NULL")
    op.create_index(
        "registry_bodies_one_code",
        "registry_bodies",
        ["code"],
        unique=True,
        sqlite_where=alone,
        postgresql_where=alone,
    )
    op.create_table(
        "registry_changes",
        _string("body", key=True),
        _number("version", key=True),
        _string("change"),
        _number("at"),
        _string("by"),
        _string("person"),
        _string("why"),
        _string("data"),
        _string("document"),
        sqlite_strict=True,
    )
    op.create_table(
        "registry_returns",
        _string("key", key=True),
        _string("body"),
        _string("value"),
        _string("unit"),
        _string("source"),
        _number("at"),
        _string("by"),
        sqlite_strict=True,
    )
    op.create_index("registry_returns_by_body_key", "registry_returns", ["body", "key"])
    op.create_table(
        "registry_zones",
        _number("version", key=True),
        _string("document"),
        _number("at"),
        _string("by"),
        sqlite_strict=True,
    )
    op.create_table(
        "registry_imports",
        _string("id", key=True),
        _number("at"),
        _string("by"),
        _string("files"),
        _string("counts"),
        sqlite_strict=True,
    )
    for table in ("registry_changes", "registry_returns", "registry_zones", "registry_imports"):
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
