"""A hospital's tables, what a stranger may see of them, and queries over that, run in this process.

Whatever nobody may see has a mark in it (`SECRET`, or a number of 900 million and more), so that it is found
wherever it comes to light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from baygrid.core.data.terms import NULL, Mode, Terms
from baygrid.sharing.shown import shown
from baygrid.sharing.sql import parsing, planning
from baygrid.sharing.sql.running import Engine, fresh
from baygrid.sharing.types import columns_of

MARK = "0badc0de"
MEMORY = 256 << 20

PATIENTS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5, 6, 7, 900000008, 900000009], pa.int64()),
        "name": ["SECRET-Wang"] * 9,
        "region": ["SZ", "SZ", "GZ", None, "sz", "GZ", "SZ", "SECRET-HK", "SECRET-HK"],
        "age": pa.array([30, 41, None, 30, 77, 0, 41, 900000030, 900000031], pa.int32()),
        "note": ["12", "x'y", "", None, "7", '"', "-3", "SECRET-note", "900000000"],
        "bill": pa.array([900000000 + n for n in range(9)], pa.int64()),
    }
)
"""Shown: rows 1 to 7, without `bill`, `name` masked."""

VISITS = pa.table(
    {
        "patient": pa.array([1, 1, 2, 3, 3, 3, 8, None, 900000009], pa.int64()),
        "day": [date(2026, 1, n) for n in range(1, 10)],
        "cost": pa.array([10, 20, 5, None, 0, -4, 99, 1, 900000001], pa.int32()),
        "ward": ["a", "b", "a", "a", None, "c", "SECRET-ward", "b", "SECRET-ward"],
    }
)
"""Shown: those of which ward is not secret; the day NULL."""


def of_patients() -> pa.Table:
    """By hand, without any of the code that is tested."""
    rows = PATIENTS.slice(0, 7).drop_columns(["bill"])
    return rows.set_column(1, "name", pa.array([f"person {n}" for n in range(7)]))


def of_visits() -> pa.Table:
    rows = pa.concat_tables([VISITS.slice(0, 6), VISITS.slice(7, 1)])
    return rows.set_column(1, "day", pa.nulls(7, pa.date32()))


TERMS: Mapping[tuple[str, ...], Terms] = {
    ("hospital", "clinic", "patients"): Terms(
        ("id", "name", "region", "age", "note"),
        "bill < 900000007",
        {"name": "'person ' || CAST(id - 1 AS VARCHAR)"},
    ),
    ("hospital", "clinic", "visits"): Terms(None, "ward IS NULL OR NOT ward LIKE 'SECRET%'", {"day": NULL}),
}
WHOLE: Mapping[tuple[str, ...], pa.Table] = {
    ("hospital", "clinic", "patients"): PATIENTS,
    ("hospital", "clinic", "visits"): VISITS,
}


@cache
def gated(name: tuple[str, ...]) -> pa.Table:
    """What the gate lets through of a table with everything in it."""
    part = shown(columns_of(WHOLE[name].schema), TERMS[name], b"salt")
    database = duckdb.connect()
    database.register("whole", WHOLE[name])
    return database.execute(part.select("whole")).to_arrow_table()


def found(name: tuple[str, ...]) -> pa.Table | None:
    return next((gated(full) for full in WHOLE if full[-len(name) :] == name), None)


@dataclass(frozen=True)
class Answer:
    columns: list[str]
    rows: list[tuple[Any, ...]]
    withheld: list[tuple[int, int | None]]

    def sorted(self) -> list[tuple[Any, ...]]:
        return sorted(self.rows, key=repr)


def ask(
    sql: str, k: int = 0, *, subject: str | None = "id", impersonal: frozenset[str] = frozenset()
) -> Answer:
    """`k`: the tables are for figures only, of at least so many persons. Raises BadExpression, ReadFailed."""
    tree = parsing.parse(sql)
    tables = {}
    for name in planning.names(tree):
        if (table := found(name)) is not None:
            mode = Mode.AGGREGATE if k else Mode.ROWS
            tables[name] = planning.Governed(
                tuple(table.column_names), mode, k, impersonal, subject is not None
            )
    plan = planning.plan(tree, tables, MARK)
    engine = Engine(fresh(MEMORY), plan, MARK)
    for load in plan.loads:
        table = found(load.table)
        assert table is not None
        rows = table if load.columns is None else table.select(load.columns)
        if load.person is not None:
            key = subject if subject in table.column_names else "patient"
            rows = rows.append_column(load.person, table[key].cast(pa.string()))
        engine.load(load, rows.to_reader())
    withheld = [engine.group(groups) for groups in plan.groups]
    schema, batches = engine.answer()
    answered = pa.Table.from_batches(list(batches), schema)
    columns = [column.to_pylist() for column in answered.columns]
    return Answer(schema.names, list(zip(*columns, strict=True)), withheld)


def plain() -> duckdb.DuckDBPyConnection:
    """DuckDB as anybody has it, over copies of what may be seen: there the text itself may run."""
    database = duckdb.connect()
    database.execute("ATTACH ':memory:' AS hospital")
    database.execute("CREATE SCHEMA hospital.clinic")
    database.execute("SET TimeZone = 'UTC'")
    for name, table in zip(WHOLE, (of_patients(), of_visits()), strict=True):
        database.register("incoming", table)
        database.execute(f"CREATE TABLE {'.'.join(name)} AS SELECT * FROM incoming")
        database.unregister("incoming")
    database.execute("USE hospital.clinic")
    return database
