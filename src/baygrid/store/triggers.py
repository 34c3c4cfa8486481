"""What the tables themselves cannot say: some are append-only, and three have exactly one row."""

from __future__ import annotations

from collections.abc import Iterator

from baygrid.core.data.chain import GENESIS
from baygrid.store.sql import SQLITE

# Rows of these are never changed or removed: triggers refuse it on both databases.
APPEND_ONLY = (
    "events",
    "ledger",
    "postings",
    "tariffs",
    "usage",
    "charges",
    "policies",
    "datasets",
    "outside",
    "ratings",
    "plans",
    "papers",
    "draws",
    "payments",
    "closes",
    "rates",
    "exchange_rates",
    "application_steps",
    "parties",
    "data_tables",
    "audit",
    "contract_steps",
    "person_counts",
    "registry_changes",
    "registry_returns",
    "registry_zones",
    "registry_imports",
)
# Nothing is added to these in a month that is closed.
BY_MONTH = ("charges", "ledger")

_FUNCTION = """CREATE FUNCTION baygrid_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$body$"""
_CLOSED_ON_SQLITE = (
    "CREATE TRIGGER TABLE_closed_month BEFORE INSERT ON TABLE "
    "WHEN NEW.at < (SELECT coalesce(max(until), 0) FROM closes) "
    "BEGIN SELECT RAISE(ABORT, 'a closed month gets no more TABLE'); END"
)
_CLOSED = """CREATE FUNCTION baygrid_closed_month() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.at < (SELECT coalesce(max(until), 0) FROM closes) THEN
    RAISE EXCEPTION 'a closed month gets no more %', TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END
$body$"""


def statements(dialect: str) -> Iterator[str]:
    """What is run once after the tables are there."""
    yield "INSERT INTO region (one, version) VALUES (1, 0)"
    yield "INSERT INTO leader (one, term, holder, until) VALUES (1, 0, '', 0)"
    yield f"INSERT INTO audit_end (one, n, hash) VALUES (1, 0, '{GENESIS}')"  # noqa: S608 - a constant
    if dialect == SQLITE:
        for table in APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        for table in BY_MONTH:
            yield _CLOSED_ON_SQLITE.replace("TABLE", table)
        return
    yield _FUNCTION
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
        )
    yield _CLOSED
    for table in BY_MONTH:
        yield (
            f"CREATE TRIGGER {table}_closed_month BEFORE INSERT ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION baygrid_closed_month()"
        )
