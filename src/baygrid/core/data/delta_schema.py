"""Columns as Delta Sharing's protocol writes them ("Schema object": Spark's types as JSON), from Arrow's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

_SIMPLE: Final = {
    "string": "string",
    "large_string": "string",
    "string_view": "string",
    "int8": "byte",
    "int16": "short",
    "int32": "integer",
    "int64": "long",
    "uint8": "short",
    "uint16": "integer",
    "uint32": "long",
    "uint64": "decimal(20,0)",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "bool": "boolean",
    "binary": "binary",
    "large_binary": "binary",
    "binary_view": "binary",
    "date32[day]": "date",
    "date64[ms]": "date",
}
_DECIMAL: Final = re.compile(r"decimal\d+\((\d+), (\d+)\)")
_LIST: Final = re.compile(r"(?:large_|fixed_size_)?list(?:_view)?<(\w+): (.*)>(?:\[\d+\])?", re.DOTALL)
_DICTIONARY: Final = re.compile(r"dictionary<values=(.*), indices=\w+, ordered=\d>", re.DOTALL)
_NAME: Final = re.compile(r"([^:<>,()]+): ")
_NOT_NULL: Final = " not null"


def schema_string(columns: Iterable[tuple[str, str, bool]]) -> str:
    """Of columns as (name, Arrow's type, nullable)."""
    fields = [_field(name, type, nullable) for name, type, nullable in columns]
    return json.dumps({"type": "struct", "fields": fields}, ensure_ascii=False)


def delta_type(type: str) -> Any:
    """As the protocol's JSON: a name, or an object. What Spark has no type for is read as text."""
    if type in _SIMPLE:
        return _SIMPLE[type]
    if type.startswith("timestamp["):
        return "timestamp"
    if found := _DECIMAL.fullmatch(type):
        return f"decimal({found[1]},{found[2]})"
    if type.startswith("fixed_size_binary["):
        return "binary"
    if found := _DICTIONARY.fullmatch(type):
        return delta_type(found[1])
    if found := _LIST.fullmatch(type):
        inner, nullable = _nullable(found[2])
        return {"type": "array", "elementType": delta_type(inner), "containsNull": nullable}
    if type.startswith("map<") and type.endswith(">"):
        return _map(type[4:-1])
    if type.startswith("struct<") and type.endswith(">"):
        return _struct(type[7:-1])
    return "string"


def _field(name: str, type: str, nullable: bool) -> dict[str, Any]:
    return {"name": name, "type": delta_type(type), "nullable": nullable, "metadata": {}}


def _map(inside: str) -> Any:
    parts = _parts(inside)
    if len(parts) != 2:
        return "string"
    value, nullable = _nullable(parts[1])
    return {
        "type": "map",
        "keyType": delta_type(parts[0]),
        "valueType": delta_type(value),
        "valueContainsNull": nullable,
    }


def _struct(inside: str) -> Any:
    fields = []
    for part in _parts(inside):
        name = _NAME.match(part)
        if name is None:  # a name with Arrow's own marks in it cannot be told from a type
            return "string"
        fields.append(_field(name[1], *_nullable(part[name.end() :])))
    return {"type": "struct", "fields": fields}


def _nullable(type: str) -> tuple[str, bool]:
    return type.removesuffix(_NOT_NULL), not type.endswith(_NOT_NULL)


def _parts(inside: str) -> list[str]:
    """At the commas that are inside no brackets."""
    found, depth = [""], 0
    for letter in inside:
        depth += (letter in "<([") - (letter in ">)]")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found if part.strip()]
