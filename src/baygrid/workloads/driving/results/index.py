"""index.duckdb: drives, events, tracks and the own way, to find scenarios by SQL; and the asking.

Tables: `drives` (drive, km, seconds), `events` (as events.parquet), `tracks` (one row each: drive, track,
kind, begin, end, nearest in m, fastest in m/s, sweeps), `ego` (as ego.parquet, once a second)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from baygrid.workloads.absent import without
from baygrid.workloads.application import ApplicationError
from baygrid.workloads.driving.results.statistics import Tally
from baygrid.workloads.whole import whole

FILE: Final = "index.duckdb"
MOST: Final = 10_000
"""Rows of an answer."""

_TABLES: Final = """
create table events as select * from read_parquet($events);
create table tracks as select drive, track, last(kind order by t) as kind, min(t) as begin, max(t) as "end",
  min(sqrt(ahead * ahead + "left" * "left")) as nearest, max(sqrt(vx * vx + vy * vy)) as fastest, count(*) as
  sweeps from read_parquet($labels) group by drive, track order by drive, track;
create table ego as select * from read_parquet($ego) where floor(t) <> floor(t - 0.05);
"""


def write(path: Path, tallies: Sequence[Tally], events: Path, labels: Path, ego: Path) -> None:
    """The file is there whole or not at all. duckdb looks for pandas among what is inserted, and loads it."""
    with (
        whole(path) as part,
        without("pandas"),
        duckdb.connect(str(part), config={"threads": 1}) as connection,
    ):
        connection.execute("create table drives (drive varchar, km double, seconds double)")
        rows = [(t.travelled.drive, t.travelled.km, t.travelled.seconds) for t in tallies]
        connection.executemany("insert into drives values (?, ?, ?)", rows)
        for statement in connection.extract_statements(_TABLES):
            named = {"events": str(events), "labels": str(labels), "ego": str(ego)}
            connection.execute(statement, {name: named[name] for name in statement.named_parameters})


def find(folder: Path, question: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of one SELECT on the index in an output folder; no more than MOST rows.

    The question reads this one file and nothing else: not written to, no other file, no network, no setting
    changed. Raises ApplicationError where there is no index, or where the question is none."""
    path = folder / FILE
    if not path.exists():
        raise ApplicationError(f"no {FILE} in {folder}: run the application into that folder first")
    guarded: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "lock_configuration": "true",
        "threads": "1",
    }
    try:
        with duckdb.connect(str(path), read_only=True, config=guarded) as connection:
            statements = connection.extract_statements(question)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ApplicationError("--find takes one SELECT")
            answer = connection.execute(statements[0])
            columns = [column[0] for column in answer.description or ()]
            return columns, answer.fetchmany(MOST)
    except duckdb.Error as error:
        raise ApplicationError(f"the question cannot be answered: {error}") from error
