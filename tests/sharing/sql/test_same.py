"""A governed query answers as DuckDB does over a copy that holds only what may be seen."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings

from baygrid.ports.reader import BadExpression
from tests.sharing.sql.governed import ask, plain
from tests.sharing.sql.queries import queries

FAILS = "fails"


def _there(database: duckdb.DuckDBPyConnection, sql: str) -> Any:
    try:
        with database.cursor() as cursor:
            cursor.execute("USE hospital.clinic")
            return sorted(cursor.execute(sql).fetchall(), key=repr)
    except duckdb.Error:
        return FAILS


def _here(sql: str) -> Any:
    try:
        return ask(sql).sorted()
    except BadExpression:
        return FAILS


def _compare(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    here, there = _here(sql), _there(database, sql)
    event("fails" if there == FAILS else "empty" if not there else "rows")
    assert here == there


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return plain()


@given(sql=queries())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_queries_at_random_answer_the_same(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    _compare(database, sql)


@pytest.mark.slow
@given(sql=queries())
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.timeout(900)
def test_many_queries_at_random_answer_the_same(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    _compare(database, sql)
