"""Of what tables are made, on both databases: columns, names of constraints, the number of a transaction.

Integers are 64 bits everywhere; SQLite tables are STRICT, so that what PostgreSQL refuses is refused there
too. Instants are whole milliseconds, money is minor units, documents are JSON text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

Int64 = BigInteger().with_variant(Integer(), "sqlite")
# Ids sort byte by byte, whatever language the database speaks.
String = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_one_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s",
        "pk": "%(table_name)s_key",
    }
)


class ThisTransaction(FunctionElement[int]):
    """The number of the writing transaction, by which PostgreSQL's event stream is ordered; 0 on SQLite."""

    type = BigInteger()
    inherit_cache = True


@compiles(ThisTransaction, "sqlite")
def _sqlite_transaction(element: ThisTransaction, compiler: Any, **options: Any) -> str:
    return "0"


@compiles(ThisTransaction, "postgresql")
def _postgresql_transaction(element: ThisTransaction, compiler: Any, **options: Any) -> str:
    return "((pg_current_xact_id()::text)::bigint)"


def table(name: str, *parts: Any, **options: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, **options)


def string(name: str, *parts: Any, **options: Any) -> Column[str]:
    return Column(name, String, *parts, nullable=options.pop("nullable", False), **options)


def integer(name: str, *parts: Any, **options: Any) -> Column[int]:
    return Column(name, Int64, *parts, nullable=options.pop("nullable", False), **options)


def partial_index(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    """An index of some rows only."""
    some = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=some, postgresql_where=some)
