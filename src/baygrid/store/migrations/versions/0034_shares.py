"""Snapshots of shared tables, and their files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _string(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _STRING, primary_key=key, nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "share_snapshots",
        _string("id", key=True),
        _string("grant"),
        _string("kind"),
        _string("terms"),
        _string("lineage"),
        _string("fingerprint"),
        _number("source_version", nullable=True),
        _number("number"),
        _string("columns"),
        _string("state"),
        _number("at"),
        _number("changed_at"),
        _number("used_at"),
        _number("served_at"),
        _number("observed_at"),
        _string("said"),
        _string("holder"),
        _number("until"),
        sqlite_strict=True,
    )
    op.create_index("share_snapshots_by_grant", "share_snapshots", ["grant"])
    op.create_index("share_snapshots_by_state_changed_at", "share_snapshots", ["state", "changed_at"])
    alive = sa.text("state IN ('FAILED', 'READY', 'WANTED')")
    for name, last in (("content", "fingerprint"), ("number", "number")):
        op.create_index(
            f"share_snapshots_one_of_{name}",
            "share_snapshots",
            ["grant", "kind", "terms", "lineage", last],
            unique=True,
            sqlite_where=alive,
            postgresql_where=alive,
        )
    op.create_table(
        "share_files",
        _string("id", key=True),
        _string("snapshot"),
        _number("n"),
        _string("sha256"),
        _number("size"),
        _number("rows"),
        _string("stats"),
        _string("change"),
        _number("persons", nullable=True),
        sa.UniqueConstraint("snapshot", "n", name="share_files_one_snapshot_n"),
        sqlite_strict=True,
    )
