"""The data service: parties, the catalogue of tables, what was wished for, the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_APPEND_ONLY = ("parties", "data_tables", "audit")


def _string(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _STRING, primary_key=key, nullable=nullable)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    if key:
        return sa.Column(name, _NUMBER, primary_key=True, nullable=False, autoincrement=False)
    return sa.Column(name, _NUMBER, nullable=False)


def upgrade() -> None:
    op.create_table(
        "parties",
        _string("organisation", key=True),
        _number("version", key=True),
        _string("facts"),
        _string("pilot", nullable=True),
        _number("made_at"),
        _string("made_by"),
        sqlite_strict=True,
    )
    op.create_table(
        "data_tables",
        _string("project", key=True),
        _string("name", key=True),
        _number("version", key=True),
        _string("title"),
        _string("place"),
        _string("format"),
        _string("uri"),
        _string("source_table"),
        _string("secret", nullable=True),
        _string("columns"),
        _string("labels"),
        _string("confirmed_by", nullable=True),
        _number("open"),
        _number("made_at"),
        _string("made_by"),
        sqlite_strict=True,
    )
    op.create_table(
        "table_wanted",
        _string("wish", key=True),
        _string("project", key=True),
        _string("text"),
        _number("times"),
        _number("first_at"),
        _number("last_at"),
        sqlite_strict=True,
    )
    _audit()
    _append_only()


def _audit() -> None:
    op.create_table(
        "audit",
        _number("n", key=True),
        _number("at"),
        _string("kind"),
        _string("contract", nullable=True),
        _string("project", nullable=True),
        _string("data"),
        _string("salt"),
        _string("previous"),
        _string("hash"),
        sqlite_strict=True,
    )
    op.create_index("audit_by_contract_n", "audit", ["contract", "n"])
    op.create_index("audit_by_project_n", "audit", ["project", "n"])
    op.create_table(
        "audit_end",
        _number("one", key=True),
        _number("n"),
        _string("hash"),
        sa.CheckConstraint("one = 1", name="one"),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO audit_end (one, n, hash) VALUES (1, 0, '{'0' * 64}')")  # noqa: S608 - a constant


def _append_only() -> None:
    for table in _APPEND_ONLY:
        if op.get_bind().dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
            )
