"""A governed query answers as DuckDB does over a copy that holds only what may be seen."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings

from baygrid.ports.reader import BadExpression
from baygrid.sharing.sql import parsing
from baygrid.sharing.sql.allowed import QUERY
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


@pytest.mark.campaign
@given(sql=queries())
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.timeout(0)
def test_many_queries_at_random_answer_the_same(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    _compare(database, sql)


def _calls(database: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The functions that DuckDB's parser finds, in order; none where it cannot read it."""
    found = database.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert found is not None
    return [name.lower() for name in re.findall(r'"function_name":"([^"]*)"', found[0])]


ALIKE = {"position", "var_samp"}
"""Written as strpos and variance, which are the same in DuckDB."""


@pytest.mark.parametrize("arguments", ["a", "a, b", "'x', a", "a, 1, 2"])
def test_a_call_stays_the_call_that_it_was(database: duckdb.DuckDBPyConnection, arguments: str) -> None:
    """sqlglot knows functions of many engines, and would write some as others that answer differently."""
    changed = {}
    for name in sorted(it for it in QUERY - ALIKE if it.isidentifier()):
        sql = f"SELECT {name}({arguments}) FROM t"
        try:
            calls = _calls(database, parsing.write(parsing.parse(sql)))
        except BadExpression:
            continue  # of so many arguments it is none
        if calls != _calls(database, sql):
            changed[name] = calls
    assert changed == {}
