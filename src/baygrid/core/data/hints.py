"""Hints of who reads a shared table: which rows they are after, and how many. Delta Sharing's protocol, "SQL
expressions for filtering" and "JSON predicates for filtering". A hint that cannot be read is passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from baygrid.core.data.predicates import (
    All,
    Compare,
    IsNull,
    Kind,
    Not,
    Predicate,
    Some,
    Unsure,
    kind_of,
    outcomes,
    parse,
)

T = TypeVar("T")
DEEPEST: Final = 100
"""Levels of a JSON predicate; a deeper one is passed over."""
_OPS: Final = {
    "equal": "=",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
_TURNED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_KINDS: Final = {
    "bool": Kind.FLAG,
    "int": Kind.WHOLE,
    "long": Kind.WHOLE,
    "string": Kind.TEXT,
    "date": Kind.DAY,
    "double": Kind.REAL,
    "timestamp": Kind.INSTANT,
}
_COLUMN: Final = r"(?:`(?P<quoted>[^`]+)`|(?P<plain>[^\W\d]\w*))"
_LITERAL: Final = r"(?:'(?P<text>(?:[^'\\]|'')*)'|(?P<number>-?\d+(?:\.\d+)?))"
_OP: Final = r"\s*(?P<op><=|>=|<>|=|<|>)\s*"
_COLUMN_FIRST: Final = re.compile(rf"\s*{_COLUMN}{_OP}{_LITERAL}\s*")
_COLUMN_LAST: Final = re.compile(rf"\s*{_LITERAL}{_OP}{_COLUMN}\s*")
_NULL: Final = re.compile(rf"\s*{_COLUMN}\s+IS\s+(?P<no>NOT\s+)?NULL\s*", re.IGNORECASE)


class _Unreadable(ValueError):
    """Of a JSON predicate."""


def wanted(sql: Sequence[str], tree: str | None, types: Mapping[str, str]) -> Predicate | None:
    """What both kinds of hints ask for together; None: nothing that can be read."""
    parts = [one for text in sql if (one := of_sql(text, types)) is not None]
    if tree is not None and (one := of_json(tree)) is not None:
        parts.append(one)
    return All(tuple(parts)) if parts else None


def chosen(
    files: Sequence[T],
    stats: Callable[[T], Mapping[str, Any]],
    types: Mapping[str, str],
    predicate: Predicate | None,
    limit: int | None,
) -> list[T]:
    """The files that can hold a row that is wanted; of those only as many as surely hold `limit` of them."""
    found, rows = [], 0
    for file in files:
        if limit is not None and rows >= limit:
            break
        can = frozenset({True}) if predicate is None else outcomes(predicate, stats(file), types)
        if True in can:
            found.append(file)
            if can == {True}:
                rows += stats(file).get("numRecords", 0)
    return found


def of_json(text: str) -> Predicate | None:
    """None for what is not as the protocol says: then no file is left out because of it."""
    try:
        return _node(json.loads(text), DEEPEST)
    except (ValueError, RecursionError):
        return None


def _node(it: Any, levels: int) -> Predicate:
    if not isinstance(it, dict) or levels == 0:
        raise _Unreadable("not an operation")
    op, children = it.get("op"), it.get("children")
    if not isinstance(op, str) or not isinstance(children, list):
        raise _Unreadable("an operation over others is expected")
    if op in _OPS and len(children) == 2:
        return _comparison(_OPS[op], *children)
    if op == "isNull" and len(children) == 1:
        return IsNull(_name(children[0]))
    inner = [_node(child, levels - 1) for child in children]
    if op == "not" and len(inner) == 1:
        return Not(inner[0])
    if op in ("and", "or") and len(inner) >= 2:
        return All(tuple(inner)) if op == "and" else Some(tuple(inner))
    raise _Unreadable(f"not an operation: {op!r}")


def _comparison(op: str, left: Any, right: Any) -> Predicate:
    """Of a column with a literal; of two of the same kind nothing is judged."""
    kinds = [_field(one, "op") for one in (left, right)]
    if kinds == ["literal", "column"]:
        left, right, op = right, left, _TURNED[op]
    elif kinds != ["column", "literal"]:
        if set(kinds) <= {"column", "literal"}:
            return Unsure()
        raise _Unreadable("a leaf is a column or a literal")
    name, said = _name(left), _field(left, "valueType")
    of = _field(right, "valueType")
    if said != of or of not in _KINDS:  # as "float": what is cut to 32 bits is equal to more than one number
        return Unsure()
    return Compare(name, op, parse(_field(right, "value"), _KINDS[of]), _KINDS[of], narrow=of == "int")


def _name(it: Any) -> str:
    if _field(it, "op") != "column":
        raise _Unreadable("a column is expected")
    return _field(it, "name")


def _field(it: Any, name: str) -> str:
    found = it.get(name) if isinstance(it, dict) else None
    if not isinstance(found, str):
        raise _Unreadable(f"no {name}")
    return found


def of_sql(text: str, types: Mapping[str, str]) -> Predicate | None:
    """One comparison of a column with a constant; None for any other expression."""
    if found := _NULL.fullmatch(text):
        asked = IsNull(found["quoted"] or found["plain"])
        return Not(asked) if found["no"] else asked
    found = _COLUMN_FIRST.fullmatch(text) or _COLUMN_LAST.fullmatch(text)
    if found is None:
        return None
    name = (found["quoted"] or found["plain"]).lower()
    kind = next((kind_of(type) for column, type in types.items() if column.lower() == name), None)
    value = _constant(found["text"], found["number"], kind)
    if kind is None or value is None:
        return None
    if found["op"] == "<>":
        return Not(Compare(name, "=", value, kind))
    turned = found.re is _COLUMN_LAST
    return Compare(name, _TURNED[found["op"]] if turned else found["op"], value, kind)


def _constant(text: str | None, number: str | None, kind: Kind | None) -> Any:
    """None where an engine would cast the column or the constant, each in its way."""
    if kind not in ((Kind.WHOLE, Kind.REAL) if text is None else (Kind.TEXT, Kind.DAY)):
        return None
    try:
        return parse((number or "") if text is None else text.replace("''", "'"), kind)
    except ValueError:
        return None
