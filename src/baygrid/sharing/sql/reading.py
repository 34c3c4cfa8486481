"""What DuckDB's own parser makes of a query, looked at before it runs: only kinds of parts, functions and
tables that are known to be harmless. However another parser reads the same text, this is what would run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import duckdb

from baygrid.ports.reader import BadExpression
from baygrid.sharing.sql.allowed import TABLE, TYPES

_NODES: Final = frozenset({
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
    "BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST",
    "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER",
    "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
})  # fmt: skip
_EXPRESSIONS: Final = frozenset({
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "LAMBDA", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW",
})  # fmt: skip
_NAMES: Final = {"PIVOT": "PIVOT", "SHOW_REF": "SUMMARIZE or DESCRIBE"}


def check_query(
    connection: duckdb.DuckDBPyConnection, text: str, tables: Collection[str], functions: Collection[str]
) -> None:
    """One SELECT over these tables (and its own), calling these functions. Raises BadExpression."""
    statements = _read(connection, text)["statements"]
    if len(statements) != 1:
        raise BadExpression("one query at a time")
    common = {lower for node in _nodes(statements) for lower in _common(node)}
    for node in _nodes(statements):
        _check_kind(node)
        _check_table(node, {*tables, *common})
        _check_function(node, functions)


def _read(connection: duckdb.DuckDBPyConnection, text: str) -> Mapping[str, Any]:
    try:
        row = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        found: Mapping[str, Any] = json.loads(row[0]) if row else {"error": True}
    except (duckdb.Error, RecursionError):
        raise BadExpression("the query is too long or nested too deeply") from None
    if found["error"]:
        raise BadExpression(str(found.get("error_message", "the query cannot be read")).splitlines()[0])
    return found


def _nodes(document: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _common(node: Mapping[str, Any]) -> Iterator[str]:
    for entry in (node.get("cte_map") or {}).get("map", ()):
        yield entry["key"].lower()


def _check_kind(node: Mapping[str, Any]) -> None:
    if "class" in node:
        if node["class"] not in _EXPRESSIONS:
            raise BadExpression(f"{node['class'].replace('_', ' ').lower()} is not allowed here")
        return
    kind = node.get("type")
    if not isinstance(kind, str) or kind in _NODES or kind.endswith("_TYPE_INFO"):
        return
    raise BadExpression(f"{_NAMES.get(kind, kind.replace('_', ' ').lower())} is not allowed")


def _check_table(node: Mapping[str, Any], tables: Collection[str]) -> None:
    if node.get("type") != "BASE_TABLE" or "class" in node:
        return
    if node["catalog_name"] or node["schema_name"] or node["table_name"].lower() not in tables:
        raise BadExpression(f"there is no table {node['table_name']!r}")
    if node["at_clause"] is not None:
        raise BadExpression("another version of a table is not allowed")


def _check_function(node: Mapping[str, Any], functions: Collection[str]) -> None:
    if node.get("type") == "TABLE_FUNCTION" and node["function"].get("function_name") not in TABLE:
        name = node["function"].get("function_name", "this")
        raise BadExpression(f"{name} is not allowed in the place of a table")
    if node.get("type") == "UNBOUND_TYPE_INFO" and (
        node["name"].lower() not in TYPES or node["catalog"] or node["schema"]
    ):
        raise BadExpression(f"there is no type {node['name']!r}")
    if node.get("class") not in ("FUNCTION", "WINDOW"):
        return
    name = node["function_name"].lower()
    if name not in functions or node["schema"] not in ("", "main") or node["catalog"] not in ("", "system"):
        raise BadExpression(f"the function {name} is not allowed")
