"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_APPEND_ONLY = ("events", "ledger", "postings", "usage", "charges")


def _table(name: str, *parts: Any) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def _text(name: str, *parts: Any, **options: Any) -> sa.Column[str]:
    return sa.Column(name, _STRING, *parts, nullable=options.pop("nullable", False), **options)


def _int(name: str, *parts: Any, **options: Any) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, *parts, nullable=options.pop("nullable", False), **options)


def _this_transaction() -> sa.TextClause:
    return sa.text("0" if _on_sqlite() else "((pg_current_xact_id()::text)::bigint)")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _event_indexes() -> tuple[sa.Index, ...]:
    if _on_sqlite():
        return sa.Index("events_by_project", "project", "id"), sa.Index("events_by_job", "job", "id")
    return (
        sa.Index("events_stream", "xid", "id"),
        sa.Index("events_project_stream", "project", "xid", "id"),
        sa.Index("events_job_stream", "job", "xid", "id"),
    )


def upgrade() -> None:
    _tables()
    op.execute("INSERT INTO region (one, version) VALUES (1, 0)")
    op.execute("INSERT INTO leader (one, term, holder, until) VALUES (1, 0, '', 0)")
    _triggers()


def _triggers() -> None:
    if _on_sqlite():
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        """CREATE FUNCTION baygrid_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$body$"""
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
        )


def _tables() -> None:
    _table("organisations", _text("name", primary_key=True), _text("kind"), _text("title"))
    _table(
        "projects",
        _text("name", primary_key=True),
        _text("organisation", sa.ForeignKey("organisations.name")),
        _text("currency"),
        _int("granted"),
        _int("held"),
        _int("charged"),
        sa.CheckConstraint("held >= 0", name="held"),
        sa.CheckConstraint("granted - held - charged >= 0", name="free"),
    )
    _table(
        "tokens",
        _text("id", primary_key=True),
        _text("sha256", unique=True),
        _text("role"),
        _text("label"),
        _text("project", nullable=True),
        _text("centre", nullable=True),
        _int("created_at"),
        _int("revoked_at", nullable=True),
    )
    _table(
        "centres",
        _text("name", primary_key=True),
        _text("jurisdiction"),
        _text("driver"),
        _text("state"),
        _text("public_key"),
        _int("incarnation"),
        _int("seq"),
        _int("gen"),
        _int("seen_at", nullable=True),
    )
    _table(
        "inventories",
        _text("centre", sa.ForeignKey("centres.name"), primary_key=True),
        _text("digest"),
        _text("partitions"),
    )
    _table(
        "offers",
        _text("id", primary_key=True),
        _text("centre", sa.ForeignKey("centres.name")),
        _text("partition"),
        _text("accelerator", nullable=True),
        _text("currency"),
    )
    _table(
        "tariffs",
        _text("offer", sa.ForeignKey("offers.id"), primary_key=True),
        _int("valid_from", primary_key=True, autoincrement=False),
        _text("currency"),
        _text("accelerator_hour"),
        _text("cpu_hour"),
        _text("gib_hour"),
    )
    _table(
        "region",
        _int("one", primary_key=True, autoincrement=False),
        _int("version"),
        sa.CheckConstraint("one = 1", name="one"),
    )
    _table(
        "leader",
        _int("one", primary_key=True, autoincrement=False),
        _int("term"),
        _text("holder"),
        _int("until"),
        sa.CheckConstraint("one = 1", name="one"),
    )
    _table(
        "jobs",
        _text("id", primary_key=True),
        _text("project"),
        _text("name"),
        _text("state"),
        _int("submitted_at"),
        _text("submitted_by"),
        _text("currency"),
        _int("hold"),
        _int("version"),
        _int("ended_at", nullable=True),
        _text("cause", nullable=True),
        _text("detail"),
        _int("exit_code", nullable=True),
        _text("spec"),
        sa.Index(None, "state", "id"),
        sa.Index(None, "project", "id"),
        sa.Index(None, "project", "state", "id"),
    )
    _table(
        "attempts",
        _text("id", primary_key=True),
        _text("job"),
        _text("project"),
        _int("n"),
        _text("token"),
        _text("centre"),
        _text("partition"),
        _text("offer"),
        _int("cpus"),
        _int("memory_mib"),
        _text("accelerator", nullable=True),
        _int("accelerators"),
        _int("grace_s"),
        _int("placed_at"),
        _text("state"),
        _text("want"),
        _int("gen"),
        _int("version"),
        _text("stop_reason"),
        _text("raw"),
        _int("started_at", nullable=True),
        _int("ended_at", nullable=True),
        _int("exit_code", nullable=True),
        _text("cause", nullable=True),
        _text("detail"),
        _int("log_size"),
        _int("log_end", nullable=True),
        _int("live"),
        _text("nodes"),
        _text("outputs"),
        _text("reasons"),
        sa.UniqueConstraint("job", "n"),
        sa.Index(
            "attempts_live", "id", sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live = 1")
        ),
        sa.Index(
            "attempts_wanted",
            "centre",
            "gen",
            "id",
            sqlite_where=sa.text("want <> 'nothing'"),
            postgresql_where=sa.text("want <> 'nothing'"),
        ),
    )
    _table(
        "log_chunks",
        _text("attempt", sa.ForeignKey("attempts.id"), primary_key=True),
        _int("start", primary_key=True, autoincrement=False),
        _int("size"),
    )
    _table(
        "usage",
        _text("attempt", primary_key=True),
        _int("n", primary_key=True, autoincrement=False),
        _text("centre"),
        _text("project"),
        _text("job"),
        _int("stored_at"),
        _text("public_key"),
        _text("signature"),
        _text("document"),
    )
    _table(
        "charges",
        _int("number", sa.Identity(always=True), primary_key=True),
        _text("attempt"),
        _int("n"),
        _text("job"),
        _text("project"),
        _text("centre"),
        _text("offer"),
        _int("at"),
        _text("currency"),
        _int("amount"),
        _int("overrun"),
        _text("ledger"),
        _text("lines"),
        sa.UniqueConstraint("attempt", "n"),
        sa.Index(None, "project", "at"),
        sa.Index(None, "job"),
    )
    _table(
        "ledger",
        _text("id", primary_key=True),
        _text("key", unique=True),
        _int("at"),
        _text("narration"),
        _text("sources"),
    )
    _table(
        "postings",
        _text("ledger", sa.ForeignKey("ledger.id"), primary_key=True),
        _int("n", primary_key=True, autoincrement=False),
        _text("account"),
        _text("currency"),
        _int("amount"),
    )
    _table(
        "events",
        _int("id", sa.Identity(always=True), primary_key=True),
        _int("xid", server_default=_this_transaction()),
        _int("at"),
        _text("kind"),
        _text("project", nullable=True),
        _text("job", nullable=True),
        _text("attempt", nullable=True),
        _text("centre", nullable=True),
        _int("term"),
        _text("data"),
        *_event_indexes(),
    )
    _table(
        "answers",
        _text("project", primary_key=True),
        _text("key", primary_key=True),
        _text("body_sha256"),
        _int("status"),
        _int("at"),
        _text("body"),
    )
