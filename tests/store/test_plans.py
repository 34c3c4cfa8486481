"""Which indexes SQLite reads by: what grows for ever is not read whole for a page or a month."""

from __future__ import annotations

import re
import sqlite3

import pytest

from baygrid.store import bottlenecks, jobs, ledger, papers
from baygrid.store.schema import memory_image
from baygrid.store.sql import SQLITE, Statement


def plan(statement: Statement) -> list[str]:
    sql, _ = statement.compiled(SQLITE)
    connection = sqlite3.connect(":memory:")
    connection.deserialize(memory_image())
    try:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(re.findall(r":(\w+)", sql), 1))
        return [row[3] for row in rows]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (ledger._OTHER_INCOME, "ledger_others (at>? AND at<?)"),
        (ledger._MOVEMENTS, "postings_by_account (account=?)"),
        (papers._COUNT, "papers_by_kind_month_number (kind=? AND month=?)"),
        (papers._PAGES[False, True], "papers_by_kind_month_number (kind=? AND month=? AND number>?)"),
        (papers._PAGES[True, True], "papers_by_kind_month_number (kind=? AND month=? AND number>?)"),
        (papers._PAGES[False, False], "(kind=? AND number>?)"),
        (bottlenecks._UNPLACED, "jobs USING INDEX sqlite_autoindex_jobs_1 (id>?)"),
        (bottlenecks._PLACED, "attempts USING INDEX sqlite_autoindex_attempts_1 (id>?)"),
        (bottlenecks._CHARGED, "charges_by_at (at>? AND at<?)"),
        (jobs._SHORT, "jobs_short_of_money (project=? AND state=? AND cause=?)"),
    ],
)
def test_it_is_read_by_its_index(statement: Statement, index: str):
    steps = plan(statement)
    assert any(index in step for step in steps)
    # Of the database only: texts given as JSON are read whole.
    assert not [step for step in steps if step.startswith("SCAN") and "json_each" not in step]
