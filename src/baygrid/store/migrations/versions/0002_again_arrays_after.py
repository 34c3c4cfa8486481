"""Jobs with several attempts, arrays, and jobs that wait for others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for column in (
        _int("asked", server_default=sa.text("0")),
        _int("attempts", server_default=sa.text("0")),
        _int("retries", server_default=sa.text("0")),
        _text("checkpoint", nullable=True),
        _text("array", nullable=True),
        _int("index", nullable=True),
        _text("waits_for", server_default=sa.text("'[]'")),
    ):
        op.add_column("jobs", column)
    op.execute(
        "UPDATE jobs SET asked = hold,"
        " attempts = (SELECT count(*) FROM attempts WHERE attempts.job = jobs.id)"
    )
    _index("jobs_of_array", '"array" IS NOT NULL', "array", "id")
    _index("jobs_of_array_by_state", '"array" IS NOT NULL', "array", "state", "cause", "id")
    _index("jobs_short_of_money", "state = 'HELD' AND cause = 'money'", "project", "id")
    op.create_table(
        "arrays",
        _text("id", primary_key=True),
        _text("project"),
        _text("name"),
        _int("size"),
        _int("parallel"),
        _int("left"),
        _int("submitted_at"),
        _text("submitted_by"),
        _int("failed"),
        _int("version"),
        _text("waits_for"),
        sa.Index(None, "project", "id"),
        sqlite_strict=True,
    )
    op.create_table(
        "waits",
        _text("on", primary_key=True),
        _text("waiter", primary_key=True),
        sqlite_strict=True,
    )


def _index(name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def _text(name: str, **options: object) -> sa.Column[str]:
    return sa.Column(name, _STRING, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def _int(name: str, **options: object) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]
