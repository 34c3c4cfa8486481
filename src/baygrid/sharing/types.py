"""Types of columns: as sources have them, as they are seen here, in words and in DuckDB's.

What is seen has few types, those that Delta knows as well: unsigned numbers become wider ones, times of day
and intervals text, dictionaries what they hold. A type's word is Arrow's own (`str(pa.DataType)`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow as pa

from baygrid.ports.reader import Column, ReadFailed

_WIDER: Final = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
}
_SAME: Final = frozenset(
    {pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.date32()}
)
_DUCK: Final = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
}
_WORDS: Final = {str(type_): type_ for type_ in _DUCK}
_DECIMAL: Final = re.compile(r"decimal128\((\d+), (\d+)\)")


class Unknown(ValueError):
    """A type that is not read."""


def plain(type_: pa.DataType) -> pa.DataType:
    """The type that a source's type is seen as. Raises Unknown."""
    if type_ in _SAME:
        return type_
    if type_ in _WIDER:
        return _WIDER[type_]
    if pa.types.is_decimal(type_) and type_.precision <= 38 and 0 <= type_.scale <= type_.precision:
        return pa.decimal128(type_.precision, type_.scale)
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", None if type_.tz is None else "UTC")
    if pa.types.is_dictionary(type_):
        return plain(type_.value_type)
    if _is_text(type_):
        return pa.string()
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_):
        return pa.binary()
    if pa.types.is_fixed_size_binary(type_):
        return pa.binary()
    return _nested(type_)


def _is_text(type_: pa.DataType) -> bool:
    tests = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_time,
        pa.types.is_duration, pa.types.is_interval, pa.types.is_null,
    )  # fmt: skip
    return any(test(type_) for test in tests)


def _nested(type_: pa.DataType) -> pa.DataType:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    if any(test(type_) for test in lists):
        return pa.list_(pa.field("element", plain(type_.value_type)))
    if pa.types.is_struct(type_):
        names = [field.name for field in type_]
        if not all(_NAME.fullmatch(name) for name in names):
            raise Unknown("a structure whose fields have other names than letters, digits and _")
        return pa.struct([pa.field(field.name, plain(field.type)) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(plain(type_.key_type), plain(type_.item_type))
    if isinstance(type_, pa.BaseExtensionType):
        return pa.string() if str(type_).startswith("extension<arrow.uuid") else plain(type_.storage_type)
    raise Unknown(str(type_))


_NAME: Final = re.compile(r"\w+")


def duck(type_: pa.DataType) -> str:
    """DuckDB's name of a plain type."""
    if type_ in _DUCK:
        return _DUCK[type_]
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    if pa.types.is_list(type_):
        return f"{duck(type_.value_type)}[]"
    if pa.types.is_struct(type_):
        return f"STRUCT({', '.join(f'{quoted(field.name)} {duck(field.type)}' for field in type_)})"
    if pa.types.is_map(type_):
        return f"MAP({duck(type_.key_type)}, {duck(type_.item_type)})"
    raise Unknown(str(type_))


def quoted(name: str) -> str:
    """A name as SQL takes it whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL takes it whatever is in it."""
    return "'" + value.replace("'", "''") + "'"


MAX_COLUMNS: Final = 1_000
"""Of a table: what is asked about each column takes its time."""


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """Raises ReadFailed for a type that is not read, and for names that differ in case only: SQL and the
    sharing protocol know no case."""
    if len(schema) > MAX_COLUMNS:
        raise ReadFailed(f"it has {len(schema)} columns, the most is {MAX_COLUMNS}: make a table of fewer")
    seen: dict[str, str] = {}
    found = []
    for field in schema:
        if not field.name:
            raise ReadFailed("a column has no name: give it one")
        if other := seen.get(field.name.lower()):
            raise ReadFailed(f"columns {other} and {field.name} differ in case at most: rename one")
        seen[field.name.lower()] = field.name
        try:
            found.append(Column(field.name, str(plain(field.type)), field.nullable))
        except Unknown as unknown:
            raise ReadFailed(f"column {field.name} has a type that is not read: {unknown}") from None
    return tuple(found)


def schema_of(columns: Iterable[Column]) -> pa.Schema:
    """Of plain types. Raises Unknown for a word that none of them has."""
    return pa.schema([pa.field(each.name, of_word(each.type), each.nullable) for each in columns])


def of_word(word: str) -> pa.DataType:
    """`str` of a plain type, back. Raises Unknown."""
    type_, rest = _read(word)
    if rest:
        raise Unknown(word)
    return type_


def _read(word: str) -> tuple[pa.DataType, str]:
    if word.startswith("list<element: "):
        inner, rest = _read_field(word.removeprefix("list<element: "))
        return pa.list_(pa.field("element", inner)), _after(rest, ">")
    if word.startswith("map<"):
        key, rest = _read_field(word.removeprefix("map<"))
        item, rest = _read_field(_after(rest, ", "))
        return pa.map_(key, item), _after(rest.removeprefix(" ('entries')"), ">")
    if word.startswith("struct<"):
        return _read_struct(word.removeprefix("struct<"))
    if match := _DECIMAL.match(word):
        return pa.decimal128(int(match[1]), int(match[2])), word[match.end() :]
    for known in _LONGEST:
        if word.startswith(known):
            return _WORDS[known], word[len(known) :]
    raise Unknown(word)


_LONGEST: Final[Sequence[str]] = sorted(_WORDS, key=len, reverse=True)


def _read_struct(rest: str) -> tuple[pa.DataType, str]:
    fields: list[Any] = []
    while not rest.startswith(">"):
        name, colon, rest = rest.removeprefix(", ").partition(": ")
        if not colon:
            raise Unknown(rest)
        type_, rest = _read_field(rest)
        fields.append(pa.field(name, type_))
    return pa.struct(fields), rest[1:]


def _read_field(word: str) -> tuple[pa.DataType, str]:
    type_, rest = _read(word)
    return type_, rest.removeprefix(" not null")


def _after(word: str, mark: str) -> str:
    if not word.startswith(mark):
        raise Unknown(word)
    return word[len(mark) :]
