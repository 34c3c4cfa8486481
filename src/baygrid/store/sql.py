"""Statements and sessions: SQLAlchemy writes the SQL, once per dialect; the bare driver runs it.

SQLAlchemy's own execution costs several times what SQLite needs for a statement, so only its compiler is used
in the transactions. All values are plain integers and text, so nothing has to be converted on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    Column,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from baygrid.ports.store import Exists

Params: TypeAlias = Mapping[str, Any]
Row: TypeAlias = tuple[Any, ...]

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
BULK = "postgresql, many rows"
_PSYCOPG = psycopg.dialect()  # type: ignore[no-untyped-call]
_DIALECTS = {SQLITE: sqlite.dialect(paramstyle="named"), POSTGRESQL: _PSYCOPG, BULK: _PSYCOPG}


class Statement:
    """A Core statement and its text in the dialects that have asked for it. `bulk` writes many rows at once
    on PostgreSQL, given as one parameter `rows`; SQLite takes them one by one as quickly."""

    __slots__ = ("_elements", "_texts")

    def __init__(
        self,
        element: ClauseElement,
        on_postgresql: ClauseElement | None = None,
        bulk: ClauseElement | None = None,
    ) -> None:
        self._elements: dict[str, ClauseElement | None] = {
            SQLITE: element,
            POSTGRESQL: element if on_postgresql is None else on_postgresql,
            BULK: bulk,
        }
        self._texts: dict[str, tuple[str, dict[str, Any]]] = {}

    def compiled(self, dialect: str) -> tuple[str, dict[str, Any]]:
        """SQL with named parameters, and the values of those that the statement itself fixes."""
        known = self._texts.get(dialect)
        if known is None:
            element = self._elements[dialect]
            assert element is not None
            compiled = element.compile(dialect=_DIALECTS[dialect])
            fixed = {name: value for name, value in compiled.params.items() if value is not None}
            known = self._texts[dialect] = (str(compiled), fixed)
        return known


class Session(Protocol):
    """One connection in one transaction, as the parts of a Tx use it. `topics` collects what it touches."""

    topics: set[str]

    @property
    def dialect(self) -> str: ...

    def all(self, statement: Statement, params: Params) -> list[Row]:
        """The rows of a query."""
        ...

    def change(self, statement: Statement, params: Params) -> int:
        """How many rows it wrote."""
        ...

    def change_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        """The same for each of `rows`, in one go; how many rows were written in all."""
        ...

    def returning(self, statement: Statement, params: Params) -> Row | None:
        """A write with RETURNING: the row that it wrote, if any."""
        ...

    def texts(self, values: Sequence[str]) -> Any:
        """The parameter for `among`."""
        ...


class ReadOnly:
    """Put before a Session, it refuses to write: the same on both databases, before anything happens."""

    def change(self, statement: Statement, params: Params) -> int:
        raise RuntimeError("a read may not write")

    def change_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        raise RuntimeError("a read may not write")

    def returning(self, statement: Statement, params: Params) -> Row | None:
        raise RuntimeError("a read may not write")


def text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text())


def number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())


class _Among(ColumnElement[bool]):
    inherit_cache = True

    def __init__(self, column: Column[str], name: str) -> None:
        self.column = column
        self.values: BindParameter[Any] = bindparam(name)


@compiles(_Among, SQLITE)
def _among_sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are the compiler's text


@compiles(_Among, POSTGRESQL)
def _among_postgresql(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} = ANY({values}::text[])"


def among(column: Column[str], name: str) -> ColumnElement[bool]:
    """`column` is one of a list that is a single parameter, so that one text serves lists of every length."""
    return _Among(column, name)


def insert_new(table: Table, *, without: Sequence[str] = ()) -> Statement:
    """An insert that writes nothing where a key is taken: an error would end PostgreSQL's transaction."""
    columns = [column for column in table.c if column.name not in without]
    values = {column.name: bindparam(column.name, type_=_plain(column)) for column in columns}
    rows = _rows(columns)
    return Statement(
        sqlite_insert(table).values(values).on_conflict_do_nothing(),
        postgresql_insert(table).values(values).on_conflict_do_nothing().inline(),
        postgresql_insert(table)
        .from_select([column.name for column in columns], select(*rows.c))
        .on_conflict_do_nothing()
        .inline(),
    )


def update_version(table: Table, *, without: Sequence[str]) -> Statement:
    """An update of the row `key` that counts its version, if that is still `read_version`."""
    columns = [column for column in table.c if column.name not in {"id", "version", *without}]
    values = {column.name: bindparam(column.name, type_=_plain(column)) for column in columns}
    counted = {"version": table.c.version + literal_column("1")}
    rows = _rows([*columns, Column("key", Text()), Column("read_version", BigInteger())])
    one = (
        update(table)
        .where(table.c.id == text("key"), table.c.version == number("read_version"))
        .values(values | counted)
    )
    many = (
        update(table)
        .where(table.c.id == rows.c.key, table.c.version == rows.c.read_version)
        .values({column.name: rows.c[column.name] for column in columns} | counted)
    )
    return Statement(one, one, many)


def _rows(columns: Sequence[Column[Any]]) -> TableValuedAlias:
    """PostgreSQL's parameter `rows`, a JSON list of objects, as a table: many rows in one small statement."""
    function = func.json_to_recordset(cast(text("rows"), JSON()))
    named = [Column(column.name, _plain(column)) for column in columns]
    return function.table_valued(*named).render_derived(name="given", with_types=True)


def _plain(column: Column[Any]) -> Text | BigInteger:
    return Text() if column.type.python_type is str else BigInteger()


def insert_all_or_raise(session: Session, statement: Statement, rows: Sequence[Params], what: str) -> None:
    """`statement` by `insert_new`; raises Exists unless every row was new."""
    if rows and session.change_many(statement, rows) != len(rows):
        raise Exists(what)
