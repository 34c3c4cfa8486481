"""Papers, what is due of them, closed months, rates; what is posted is found by time and by account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_CLOSED = (
    "CREATE TRIGGER TABLE_closed_month BEFORE INSERT ON TABLE "
    "WHEN NEW.at < (SELECT coalesce(max(until), 0) FROM closes) "
    "BEGIN SELECT RAISE(ABORT, 'a closed month gets no more TABLE'); END"
)


def upgrade() -> None:
    op.create_index("charges_by_at", "charges", ["at"])
    op.create_index("ledger_by_at", "ledger", ["at"])
    op.create_index("postings_by_account", "postings", ["account"])
    _papers()
    _rates()
    for table in ("papers", "closes", "rates", "exchange_rates"):
        _append_only(table)
    _closed_months()


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _STRING, nullable=False) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _NUMBER, nullable=False) for name in names]


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _STRING, primary_key=True, nullable=False) for name in names]


def _papers() -> None:
    op.create_table(
        "papers",
        *_key("kind", "number"),
        *_text("month", "subject", "currency"),
        *_integers("issued_at", "total"),
        *_text("sha256", "document"),
        sa.Column("regards", _STRING, nullable=True),
        sqlite_strict=True,
    )
    op.create_index("papers_by_kind_subject", "papers", ["kind", "subject"])
    op.create_table(
        "dues",
        *_key("kind", "number"),
        *_integers("total", "due", "paid", "forgiven", "credited"),
        sa.CheckConstraint("paid >= 0 AND forgiven >= 0 AND paid + forgiven <= due", name="left"),
        sa.CheckConstraint("credited >= 0 AND credited <= total", name="credited"),
        sa.ForeignKeyConstraint(["kind", "number"], ["papers.kind", "papers.number"], name="dues_kind"),
        sqlite_strict=True,
    )
    op.create_table(
        "closes",
        *_key("month"),
        sa.Column("until", _NUMBER, nullable=False),
        sa.Column("closed_at", _NUMBER, nullable=False),
        *_text("closed_by"),
        sa.UniqueConstraint("until"),
        sqlite_strict=True,
    )


def _rates() -> None:
    told = {
        "rates": ("kind", "name", "rate", "since", "source"),
        "exchange_rates": ("base", "quote", "rate", "day", "source"),
    }
    for table, columns in told.items():
        op.create_table(
            table,
            sa.Column("number", _NUMBER, sa.Identity(always=True), primary_key=True, nullable=False),
            *_text(*columns),
            *_integers("set_at"),
            *_text("set_by"),
            sqlite_strict=True,
        )


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


def _closed_months() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("charges", "ledger"):
            op.execute(_CLOSED.replace("TABLE", table))
        return
    op.execute(
        """CREATE FUNCTION baygrid_closed_month() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.at < (SELECT coalesce(max(until), 0) FROM closes) THEN
    RAISE EXCEPTION 'a closed month gets no more %', TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END
$body$"""
    )
    for table in ("charges", "ledger"):
        op.execute(
            f"CREATE TRIGGER {table}_closed_month BEFORE INSERT ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION baygrid_closed_month()"
        )
