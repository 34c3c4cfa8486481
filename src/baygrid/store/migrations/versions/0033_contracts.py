"""Contracts about data, the persons that they show, and who holds tokens to read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _string(name: str, *parts: Any, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, _STRING, *parts, nullable=nullable, **options)


def _number(name: str, nullable: bool = False, **options: Any) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable, **options)


def _of(table: str, key: str = "id") -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.{key}")


def upgrade() -> None:
    _contracts()
    _persons()
    _recipients()
    for table in ("contract_steps", "person_counts"):
        _append_only(table)


def _contracts() -> None:
    op.create_table(
        "contracts",
        _string("id", primary_key=True),
        _string("share"),
        _number("nth"),
        _string("provider", sa.ForeignKey("projects.name", name="contracts_provider")),
        _string("consumer", sa.ForeignKey("projects.name", name="contracts_consumer")),
        _string("exporter", sa.ForeignKey("organisations.name", name="contracts_exporter")),
        _string("purpose"),
        _string("ground", nullable=True),
        _string("choice", nullable=True),
        _number("onward"),
        _string("scope", nullable=True),
        _string("facts"),
        _number("start"),
        _number("until", nullable=True),
        _string("state"),
        _number("made_at"),
        _string("made_by"),
        _string("suspensions"),
        _string("decision", nullable=True),
        _string("records"),
        _number("counts"),
        _string("renews", nullable=True),
        _number("warned", nullable=True),
        _number("due", nullable=True),
        _number("version"),
        sa.UniqueConstraint("consumer", "share", "nth", name="contracts_one_consumer_share_nth"),
        sqlite_strict=True,
    )
    op.create_index("contracts_by_provider_id", "contracts", ["provider", "id"])
    op.create_index("contracts_by_exporter_id", "contracts", ["exporter", "id"])
    due = sa.text("due IS NOT NULL")
    op.create_index("contracts_due", "contracts", ["due", "id"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "grants",
        _string("id", primary_key=True),
        _string("contract", sa.ForeignKey("contracts.id", name="grants_contract")),
        _string("project", sa.ForeignKey("projects.name", name="grants_project")),
        _string("name"),
        _string("terms"),
        _string("shown"),
        _number("opened", nullable=True),
        _number("closed", nullable=True),
        sa.UniqueConstraint("contract", "project", "name", name="grants_one_contract_project_name"),
        sqlite_strict=True,
    )
    op.create_table(
        "contract_steps",
        _string("contract", sa.ForeignKey("contracts.id", name="contract_steps_contract"), primary_key=True),
        _number("n", primary_key=True, autoincrement=False),
        _number("at"),
        _string("step"),
        _string("side"),
        _string("by"),
        _string("data"),
        sqlite_strict=True,
    )


def _persons() -> None:
    op.create_table(
        "exporters",
        _string(
            "organisation",
            sa.ForeignKey("organisations.name", name="exporters_organisation"),
            primary_key=True,
        ),
        _string("key"),
        _number("version"),
        sqlite_strict=True,
    )
    op.create_table(
        "person_counts",
        _string(
            "exporter",
            sa.ForeignKey("exporters.organisation", name="person_counts_exporter"),
            primary_key=True,
        ),
        _number("version", primary_key=True, autoincrement=False),
        _number("since", primary_key=True, autoincrement=False),
        _number("at"),
        _number("pi"),
        _number("spi"),
        sqlite_strict=True,
    )
    op.create_table(
        "exposures",
        _string("grant_id", primary_key=True),
        sa.Column("person", sa.LargeBinary, primary_key=True, nullable=False),
        _number("sensitive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "observations",
        _string("grant_id", primary_key=True),
        _number("year", primary_key=True, autoincrement=False),
        sa.Column("person", sa.LargeBinary, primary_key=True, nullable=False),
        _number("sensitive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _recipients() -> None:
    op.create_table(
        "recipients",
        _string("id", primary_key=True),
        _string("project", sa.ForeignKey("projects.name", name="recipients_project")),
        _string("name"),
        _number("made_at"),
        _string("made_by"),
        sa.UniqueConstraint("project", "name", name="recipients_one_project_name"),
        sqlite_strict=True,
    )
    op.create_table(
        "recipient_tokens",
        _string("id", primary_key=True),
        _string("recipient", sa.ForeignKey("recipients.id", name="recipient_tokens_recipient")),
        _string("link"),
        _number("link_until"),
        _number("lasts_ms"),
        _number("made_at"),
        _string("made_by"),
        _string("digest", nullable=True),
        _number("activated_at", nullable=True),
        _number("expires_at", nullable=True),
        _number("revoked_at", nullable=True),
        sa.UniqueConstraint("link", name="recipient_tokens_one_link"),
        sa.UniqueConstraint("digest", name="recipient_tokens_one_digest"),
        sqlite_strict=True,
    )
    op.create_index("recipient_tokens_by_recipient_id", "recipient_tokens", ["recipient", "id"])


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
