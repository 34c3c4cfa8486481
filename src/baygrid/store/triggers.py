"""What the tables themselves cannot say: some are append-only, and two have exactly one row."""

from __future__ import annotations

from collections.abc import Iterator

from baygrid.store.sql import SQLITE

# Rows of these are never changed or removed: triggers refuse it on both databases.
APPEND_ONLY = (
    "events",
    "ledger",
    "postings",
    "usage",
    "charges",
    "policies",
    "datasets",
    "outside",
    "ratings",
    "plans",
)

_FUNCTION = """CREATE FUNCTION baygrid_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$body$"""


def statements(dialect: str) -> Iterator[str]:
    """What is run once after the tables are there."""
    yield "INSERT INTO region (one, version) VALUES (1, 0)"
    yield "INSERT INTO leader (one, term, holder, until) VALUES (1, 0, '', 0)"
    if dialect == SQLITE:
        for table in APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    yield _FUNCTION
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION baygrid_append_only()"
        )
