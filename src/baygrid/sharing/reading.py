"""Whether DuckDB's parser reads two expressions as one and the same."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import duckdb

from baygrid.sharing.engine import binder

_ALIASES: Final = {
    "substr": "substring", "len": "length", "power": "pow", "ceiling": "ceil",
    "list_contains": "array_contains", "list_has": "array_contains", "array_has": "array_contains",
    "position": "strpos", "instr": "strpos", "datediff": "date_diff", "datetrunc": "date_trunc",
    "datepart": "date_part", "regexp_like": "regexp_matches", "lcase": "lower", "ucase": "upper",
    "prefix": "starts_with", "suffix": "ends_with", "**": "pow", "^": "pow", "weekofyear": "week",
}  # fmt: skip
_NOISE: Final = frozenset({"query_location", "alias", "schema", "is_operator", "catalog"})
_PARTS: Final = frozenset({"date_diff", "date_trunc", "date_part"})


def same(one: str, other: str) -> bool:
    """False also where either is none that DuckDB reads, or is more than one expression."""
    first = _tree(one)
    return first is not None and first == _tree(other)


def _tree(text: str) -> Any:
    with _parser().cursor() as cursor:
        found = cursor.execute("SELECT json_serialize_sql(?)", [f"SELECT ({text}\n)"]).fetchone()
    document: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
    if document["error"] or len(document["statements"]) != 1:
        return None
    node = document["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or node["from_table"]["type"] != "EMPTY" or node["where_clause"]:
        return None
    return _plain(node["select_list"]) if len(node["select_list"]) == 1 else None


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return binder()


def _plain(node: Any) -> Any:
    """Without what says nothing: where it stood, which of two names a function was called by."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _plain(value) for key, value in node.items() if key not in _NOISE}
    if found.get("type") == "OPERATOR_NOT" and found["children"][0].get("type") == "OPERATOR_IS_NULL":
        return {**found["children"][0], "type": "OPERATOR_IS_NOT_NULL"}
    if found.get("class") == "FUNCTION":
        name = found["function_name"].lower()
        found["function_name"] = _ALIASES.get(name, name)
        if found["function_name"] in _PARTS and found["children"]:
            found["children"][0] = _lower(found["children"][0])
    return (
        {**found, "column_names": [name.lower() for name in found["column_names"]]}
        if _is_column(found)
        else found
    )


def _is_column(node: Any) -> bool:
    return bool(node.get("class") == "COLUMN_REF")


def _lower(node: Any) -> Any:
    value = node.get("value", {}).get("value")
    return {**node, "value": {**node["value"], "value": value.lower()}} if isinstance(value, str) else node
