"""What terms show of a table, as SQL: the rows that the filter is true of, the columns that are shared,
masks.

A filter may read any column of its table. A mask may read only columns that are shared themselves: what the
law says of a grant follows from the labels of the columns that it shows, and no value may come to light that
those do not speak of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from baygrid.core.data.terms import HASH, NULL, Terms
from baygrid.ports.reader import BadExpression, Column
from baygrid.sharing.engine import binder
from baygrid.sharing.expressions import names, read, written
from baygrid.sharing.types import Unknown, duck, plain, quoted, schema_of

_BLOCK: Final = 64
"""Bytes that SHA-256 takes at a time (RFC 2104)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """`values`: SQL of each shown column by its name, in the order of the table. `condition`: SQL that is
    true of the shown rows, None: of all. `needed`: the table's columns that these read."""

    values: tuple[tuple[Column, str], ...]
    condition: str | None
    needed: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.values)

    def select(self, relation: str) -> str:
        """`relation`: a table with the columns as `look` tells them. A row of which the filter is unknown is
        not shown, as WHERE has it."""
        values = ", ".join(f"{sql} AS {quoted(column.name)}" for column, sql in self.values)
        where = f" WHERE {self.condition}" if self.condition is not None else ""
        return f"SELECT {values} FROM {relation}{where}"  # noqa: S608 - checked, and written anew


def shown(columns: Sequence[Column], terms: Terms, salt: bytes) -> Shown:
    """Raises BadExpression. Masks have the types that DuckDB's binder gives them, whatever the rows are."""
    chosen = _chosen(columns, terms)
    condition = None if terms.filter is None else read(terms.filter, columns, "the filter")
    needed = {each.name for each in chosen} | (names(condition) if condition is not None else set())
    values = [(each.name, _value(each, chosen, terms.masks.get(each.name), salt)) for each in chosen]
    text = None if condition is None else f"({written(condition)})"
    return Shown(
        tuple(_typed(columns, values, text)),
        text,
        tuple(each.name for each in columns if each.name in needed),
    )


def _chosen(columns: Sequence[Column], terms: Terms) -> list[Column]:
    """The columns that are shared. Raises BadExpression for terms that speak of others."""
    known = {each.name for each in columns}
    asked = known if terms.columns is None else set(terms.columns)
    if not asked:
        raise BadExpression("no column is shared: name one")
    if unknown := sorted(asked - known):
        raise BadExpression(f"the table has no column {unknown[0]}: it has {', '.join(sorted(known))}"[:500])
    if unknown := sorted(terms.masks.keys() - asked):
        raise BadExpression(f"there is a mask on {unknown[0]}, which is not shared")
    return [each for each in columns if each.name in asked]


def _value(column: Column, chosen: Sequence[Column], mask: str | None, salt: bytes) -> str:
    own = quoted(column.name)
    if mask is None:
        return own
    word = mask.strip().lower()
    if word == NULL:
        return f"CAST(NULL AS {duck(schema_of([column])[0].type)})"
    if word == HASH:
        return hmac(f"{own}" if column.type == "binary" else f"encode(CAST({own} AS VARCHAR))", salt)
    what = f"the mask of {column.name}"
    try:
        return f"({written(read(mask, chosen, what))})"
    except BadExpression as bad:
        raise BadExpression(f"{bad} (a mask reads only columns that are shared)") from None


def hmac(content: str, key: bytes) -> str:
    """SQL for HMAC-SHA256 (RFC 2104) as hex digits, of SQL for bytes; NULL of NULL."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C))
    return f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || {content})))"


def _typed(
    columns: Sequence[Column], values: Sequence[tuple[str, str]], condition: str | None
) -> list[tuple[Column, str]]:
    """Each with the type that it always has, cast to it."""
    asked = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in values)
    with binder() as database:
        database.register("t", schema_of(columns).empty_table())
        if condition is not None:
            kind = _bound(database, f"SELECT {condition} AS c FROM t", "the filter")  # noqa: S608 - checked
            if kind.field(0).type != pa.bool_():
                raise BadExpression(f"the filter must be true or false, not {kind.field(0).type}")
        schema = _bound(database, f"SELECT {asked} FROM t", "a mask")  # noqa: S608 - checked
    by_name = {each.name: each for each in columns}
    found = []
    for field, (name, sql) in zip(schema, values, strict=True):
        try:
            type_ = plain(field.type)
        except Unknown as unknown:
            raise BadExpression(f"the mask of {name} has a type that is not shared: {unknown}") from None
        as_it_is = sql == quoted(name)
        column = by_name[name] if as_it_is else Column(name, str(type_))
        found.append((column, sql if as_it_is else f"CAST({sql} AS {duck(type_)})"))
    return found


def _bound(database: duckdb.DuckDBPyConnection, sql: str, what: str) -> pa.Schema:
    try:
        return database.sql(sql).limit(0).to_arrow_table().schema
    except duckdb.Error as error:
        raise BadExpression(
            f"{what} does not fit the columns: {str(error).partition(chr(10))[0][:300]}"
        ) from None
