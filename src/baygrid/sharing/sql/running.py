"""A plan, run by DuckDB: step by step in one database in memory, which reads no file, loads nothing, and of
which nobody can change a setting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.dataset  # DuckDB imports it late, where no file can be opened any more

from baygrid.ports.reader import BadExpression, ReadFailed
from baygrid.sharing.sql.allowed import FIGURES, QUERY
from baygrid.sharing.sql.naming import shown
from baygrid.sharing.sql.planning import Groups, Load, Plan, unmarked
from baygrid.sharing.sql.reading import check_query

BATCH: Final = 10_000
"""Rows that go out at a time."""

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "python_enable_replacements": False,
    "temp_directory": "",
    "threads": 1,
}
_OF_THE_QUERY: Final = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.NotImplementedException,
)
"""What DuckDB says of a query before it looks at a row."""
_OF_ITS_VALUES: Final = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
)


def fresh(memory: int) -> duckdb.DuckDBPyConnection:
    """A database that may hold so many bytes. Nothing goes to a disk."""
    database = duckdb.connect(config=_SETTINGS | {"memory_limit": f"{memory}B"})
    for setting in ("TimeZone = 'UTC'", "lock_configuration = true"):
        database.execute(f"SET {setting}")
    return database


def _scans(plan: Any) -> int:
    """How often a plan reads what comes from outside."""
    if isinstance(plan, list):
        return sum(map(_scans, plan))
    own: int = plan["name"].strip() == "ARROW_SCAN"
    return own + _scans(plan["children"])


class Engine:
    def __init__(self, database: duckdb.DuckDBPyConnection, plan: Plan, mark: str) -> None:
        """Of a fresh database. Raises BadExpression."""
        self._plan, self._mark, self._database = plan, mark, database
        self._passing: Load | None = None
        for groups in plan.groups:
            private = [load.into for load in plan.loads if load.private]
            check_query(self._database, groups.sql, private, FIGURES)
        check_query(self._database, plan.query, plan.tables, QUERY)

    def load(self, load: Load, rows: pa.RecordBatchReader) -> None:
        """Copies whatever may be seen of a table, and no more; or leaves it to be read as it comes. Raises
        ReadFailed, which says no value."""
        self._database.register("incoming", rows)
        if load.once and self._passes(load):
            self._passing = load
            return
        try:
            self._database.execute(f'CREATE TABLE "{load.into}" AS SELECT * FROM incoming')  # noqa: S608 - ours
        except duckdb.OutOfMemoryException:
            raise ReadFailed(
                f"{shown(load.table)} has more rows than there is memory for: ask for fewer columns"
            ) from None
        except (duckdb.Error, pa.ArrowException):
            raise ReadFailed(f"{shown(load.table)} cannot be read") from None
        finally:
            self._database.unregister("incoming")

    def _passes(self, load: Load) -> bool:
        """Whether DuckDB would read these rows once. Its optimizer may make two readings of one, as it does
        of some windows: the second would find nothing."""
        self._database.execute(f'CREATE VIEW "{load.into}" AS SELECT * FROM incoming')  # noqa: S608 - ours
        reading = next((it.sql for it in self._plan.groups if load.into in it.sql), self._plan.query)
        try:
            found = self._database.execute(f"EXPLAIN (FORMAT json) {reading}").fetchone()
        except duckdb.Error:  # it says what, when it runs
            found = None
        if found is not None and _scans(json.loads(found[1])) == 1:
            return True
        self._database.execute(f'DROP VIEW "{load.into}"')
        return False

    def group(self, groups: Groups) -> tuple[int, int | None]:
        """Makes them. How many were withheld, and what of that may be told: the number only if at least k
        persons are behind it, else it would tell whether there is anybody. Raises BadExpression,
        ReadFailed."""
        of_all = f"a{groups.into}"
        self._private(f'CREATE TABLE "{of_all}" AS {groups.sql}')
        k, persons = groups.k, f'"{groups.persons}"'
        # Of persons in many groups it is not known how many they are together: at least as many as these.
        together = (
            f"sum({persons})"
            if groups.one is None
            else f'greatest(count(DISTINCT "{groups.one}"), max({persons}))'
        )
        withheld, behind = self._one(
            f'SELECT count(*), coalesce({together}, 0) FROM "{of_all}" WHERE {persons} < {k}'  # noqa: S608 - ours
        )
        beside = persons if groups.one is None else f'{persons}, "{groups.one}"'
        self._private(
            f'CREATE TABLE "{groups.into}" AS SELECT * EXCLUDE ({beside})'  # noqa: S608 - ours
            f' FROM "{of_all}" WHERE {persons} >= {k}'
        )
        self._private(f'DROP TABLE "{of_all}"')
        return withheld, withheld if behind >= k else None

    def answer(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Of the query itself, once all else is made. Raises BadExpression, ReadFailed; also while it is
        read."""
        for load in self._plan.loads:
            if load.private:
                kind = "VIEW" if load is self._passing else "TABLE"
                self._database.execute(f'DROP {kind} "{load.into}"')
        if self._passing is not None and self._passing.private:
            self._database.unregister("incoming")
        try:
            found = self._database.execute(self._plan.query).to_arrow_reader(BATCH)
        except duckdb.Error as error:
            raise self._failure(error) from None
        return found.schema, self._batches(found)

    def _batches(self, found: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from found
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._failure(error) from None

    def _private(self, sql: str) -> None:
        """Over rows that nobody may see: only what does not depend on them is told."""
        try:
            self._database.execute(sql)
        except _OF_THE_QUERY as error:
            raise BadExpression(self._said(error)) from None
        except duckdb.Error:
            raise ReadFailed(
                "a figure cannot be computed: ask for fewer groups, or of other columns"
            ) from None

    def _one(self, sql: str) -> tuple[int, int]:
        found = self._database.execute(sql).fetchone()
        assert found is not None
        return found[0], found[1]

    def _failure(self, error: Exception) -> BadExpression | ReadFailed:
        if isinstance(error, (*_OF_THE_QUERY, *_OF_ITS_VALUES)):
            return BadExpression(self._said(error))
        if isinstance(error, duckdb.OutOfMemoryException):
            return ReadFailed(
                "the query needs more memory than it has: ask for fewer rows, groups or columns"
            )
        return ReadFailed("the query failed: write it in simpler terms")

    def _said(self, error: Exception) -> str:
        return unmarked(str(error).partition("\n")[0], self._plan, self._mark)[:300]
