"""Types of Arrow as Delta Sharing's protocol names them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baygrid.core.data.delta_schema import delta_type, schema_string

pa = pytest.importorskip("pyarrow")


def _array(of: Any, nullable: bool = True) -> dict[str, Any]:
    return {"type": "array", "elementType": of, "containsNull": nullable}


def _struct(*fields: tuple[str, Any, bool]) -> dict[str, Any]:
    names = ("name", "type", "nullable")
    return {"type": "struct", "fields": [dict(zip(names, it, strict=True), metadata={}) for it in fields]}


@pytest.mark.parametrize(
    ("arrow", "delta"),
    [
        (pa.int64(), "long"),
        (pa.int32(), "integer"),
        (pa.int16(), "short"),
        (pa.int8(), "byte"),
        (pa.uint64(), "decimal(20,0)"),
        (pa.float32(), "float"),
        (pa.float64(), "double"),
        (pa.bool_(), "boolean"),
        (pa.string(), "string"),
        (pa.large_string(), "string"),
        (pa.binary(), "binary"),
        (pa.binary(16), "binary"),
        (pa.date32(), "date"),
        (pa.timestamp("us"), "timestamp"),
        (pa.timestamp("ns", "Asia/Shanghai"), "timestamp"),
        (pa.decimal128(12, 2), "decimal(12,2)"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (pa.time64("us"), "string"),
        (pa.list_(pa.int64()), _array("long")),
        (pa.list_(pa.field("item", pa.string(), nullable=False)), _array("string", False)),
        (pa.large_list(pa.list_(pa.float64())), _array(_array("double"))),
        (pa.list_(pa.float32(), 3), _array("float")),
        (
            pa.struct([pa.field("a", pa.int64(), nullable=False), ("名", pa.list_(pa.decimal128(9, 3)))]),
            _struct(("a", "long", False), ("名", _array("decimal(9,3)"), True)),
        ),
        (
            pa.map_(pa.string(), pa.struct([("x", pa.int32()), ("y", pa.string())])),
            {
                "type": "map",
                "keyType": "string",
                "valueType": _struct(("x", "integer", True), ("y", "string", True)),
                "valueContainsNull": True,
            },
        ),
    ],
    ids=str,
)
def test_each_type_has_its_name(arrow: Any, delta: Any) -> None:
    assert delta_type(str(arrow)) == delta


def test_a_schema_is_a_text_of_json() -> None:
    found = json.loads(schema_string([("编号", "int64", False), ("when", "date32[day]", True)]))
    assert found == _struct(("编号", "long", False), ("when", "date", True))
