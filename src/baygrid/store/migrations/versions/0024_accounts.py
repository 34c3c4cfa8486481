"""Allocations, and how teams ask for them; monthly budgets. What was granted before becomes an allocation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ZERO = sa.text("0")


def upgrade() -> None:
    _budgets()
    op.create_table(
        "allocations",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column(
            "project", _STRING, sa.ForeignKey("projects.name", name="allocations_project"), nullable=False
        ),
        sa.Column("source", _STRING, nullable=False),
        sa.Column("amount", _NUMBER, nullable=False),
        sa.Column("start", _NUMBER, nullable=False),
        sa.Column("end", _NUMBER, nullable=True),
        sa.Column("purpose", _STRING, nullable=False),
        sa.Column("returned", _NUMBER, nullable=False, server_default=_ZERO),
        sa.Column("returns", _NUMBER, nullable=False, server_default=_ZERO),
        sa.Column("begun", _NUMBER, nullable=False, server_default=_ZERO),
        sa.Column("warned", _NUMBER, nullable=True),
        sa.Column("due", _NUMBER, nullable=True),
        sa.Column("made_at", _NUMBER, nullable=False),
        sa.Column("made_by", _STRING, nullable=False),
        sa.Column("application", _STRING, nullable=True),
        sa.CheckConstraint("returned >= 0 AND returned <= amount", name="returned"),
        sqlite_strict=True,
    )
    op.create_index("allocations_by_project_id", "allocations", ["project", "id"])
    condition = sa.text("due IS NOT NULL")
    op.create_index(
        "allocations_due", "allocations", ["due", "id"], sqlite_where=condition, postgresql_where=condition
    )
    _applications()
    op.execute(
        "INSERT INTO allocations (id, project, source, amount, start, purpose, begun, made_at, made_by)"
        " SELECT 'allocation-' || name, name, 'grant', granted, 0, 'granted before there were allocations',"
        " 1, 0, '' FROM projects WHERE granted > 0"
    )
    others = sa.text("substr(key, 1, 7) <> 'charge:'")
    op.create_index("ledger_others", "ledger", ["at"], sqlite_where=others, postgresql_where=others)


def _budgets() -> None:
    for name in ("month", "before", "hard", "alerted"):
        op.add_column("projects", sa.Column(name, _NUMBER, nullable=False, server_default=_ZERO))
    op.add_column("projects", sa.Column("budget", _NUMBER, nullable=True))
    op.add_column("projects", sa.Column("alerts", _STRING, nullable=False, server_default=sa.text("'[]'")))
    condition = sa.text("budget IS NOT NULL")
    op.create_index(
        "projects_with_budget", "projects", ["name"], sqlite_where=condition, postgresql_where=condition
    )


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", _STRING, primary_key=True, nullable=False),
        sa.Column(
            "project", _STRING, sa.ForeignKey("projects.name", name="applications_project"), nullable=False
        ),
        sa.Column("state", _STRING, nullable=False),
        sa.Column("amount", _NUMBER, nullable=False),
        sa.Column("start", _NUMBER, nullable=False),
        sa.Column("end", _NUMBER, nullable=False),
        sa.Column("purpose", _STRING, nullable=False),
        sa.Column("renews", _STRING, nullable=True),
        sa.Column("recommended", _NUMBER, nullable=True),
        sa.Column("approved", _NUMBER, nullable=True),
        sa.Column("allocation", _STRING, nullable=True),
        sa.Column("version", _NUMBER, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("applications_by_project_id", "applications", ["project", "id"])
    op.create_table(
        "application_steps",
        sa.Column(
            "application",
            _STRING,
            sa.ForeignKey("applications.id", name="application_steps_application"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("n", _NUMBER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("step", _STRING, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.Column("by", _STRING, nullable=False),
        sa.Column("amount", _NUMBER, nullable=True),
        sa.Column("words", _STRING, nullable=False),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER application_steps_no_{verb.lower()} BEFORE {verb} ON application_steps "
                "BEGIN SELECT RAISE(ABORT, 'application_steps is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER application_steps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON"
        " application_steps FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
    )
