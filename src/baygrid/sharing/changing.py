"""Changed rows as the terms show them: one that leaves the filter is deleted, one that enters it is inserted.

A feed has the image of a row before an update and that after it, but does not say which belong together. They
are put together by the columns that tell rows apart on both sides and kept their values. Where no column
does, and some images are shown and some are not, what is shown is told as rows deleted and rows inserted:
that gives the same table, and nobody keeps a row that is not shown any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from baygrid.ports.reader import Column
from baygrid.sharing.formats.feed import CHANGE
from baygrid.sharing.shown import Shown
from baygrid.sharing.types import quoted, text

BEFORE: Final = "update_preimage"
AFTER: Final = "update_postimage"
KIND: Final = Column(CHANGE, "string", False)
"""What a file of changes has beside the shown columns. Its version and time are told of the file: readers of
Delta Sharing add them."""
WENT: Final = (BEFORE, "delete")
CAME: Final = (AFTER, "insert")
_ROW: Final = quoted("_row of the feed")
_SHOWN: Final = quoted("_shown of the feed")
_CAME: Final = quoted("_came of the feed")
_WENT: Final = quoted("_went of the feed")
_GOES: Final = quoted("_goes of the feed")
_SCALAR: Final = ("int", "string", "date", "timestamp", "decimal", "bool")


def load(database: duckdb.DuckDBPyConnection, relation: str, shown: Shown) -> None:
    """Makes table `changed` of a relation with all columns of the table and `_change_type`: numbered, and
    with whether the terms show a row."""
    condition = shown.condition or "true"
    numbered = f"SELECT *, row_number() OVER () AS {_ROW}, coalesce({condition}, false) AS {_SHOWN}"
    database.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {numbered} FROM {relation}")


def select(database: duckdb.DuckDBPyConnection, shown: Shown, columns: Sequence[Column]) -> str:
    """SQL for the shown rows of `changed` with what happened to them. `columns`: of the table. A row that
    goes and comes again as it was, as far as it is shown, did not change: the two take each other away."""
    # Names are quoted, expressions were checked and written anew.
    values = ", ".join(f"{sql} AS {quoted(column.name)}" for column, sql in shown.values)
    names = ", ".join(quoted(column.name) for column in shown.columns)
    own = quoted(CHANGE)
    goes = f"{own} IN ({text(BEFORE)}, 'delete') AS {_GOES}"
    kind = f"{_kinds(database, columns)} AS {own}"
    images = f"SELECT {values}, {goes}, {kind} FROM changed AS c WHERE {_SHOWN}"  # noqa: S608
    nth = f"row_number() OVER (PARTITION BY {names}, {_GOES} ORDER BY {own}) AS {_ROW}"
    came, went = (f"count(*) FILTER ({which}{_GOES}) OVER alike" for which in ("NOT ", ""))
    counted = (
        f"SELECT *, {nth}, {came} AS {_CAME}, {went} AS {_WENT} FROM ({images})"  # noqa: S608
        f" WINDOW alike AS (PARTITION BY {names})"
    )
    left = f"{_ROW} > CASE WHEN {_GOES} THEN {_CAME} ELSE {_WENT} END"
    return f"SELECT {names}, {own} FROM ({counted}) WHERE {left}"  # noqa: S608


def _kinds(database: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> str:
    """SQL for what happened to a shown row of `changed`."""
    own = quoted(CHANGE)
    of = f"FROM changed WHERE {own} IN ({text(BEFORE)}, {text(AFTER)})"
    hidden, seen = _one(database, f"SELECT count(*) FILTER (NOT {_SHOWN}), count(*) FILTER ({_SHOWN}) {of}")
    if not hidden or not seen:
        return own
    alone = f"CASE {own} WHEN {text(BEFORE)} THEN 'delete' WHEN {text(AFTER)} THEN 'insert' ELSE {own} END"
    if not _pair(database, columns):
        return alone
    both = "SELECT one FROM pairs UNION ALL SELECT other FROM pairs"
    return f"CASE WHEN c.{_ROW} IN ({both}) THEN {own} ELSE {alone} END"


def _pair(database: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> bool:
    """Makes table `pairs` of the updates of which both images are shown. False: which belong together cannot
    be told."""
    keys = [each.name for each in columns if each.type.startswith(_SCALAR) and _tells(database, each.name)]
    if not keys:
        return False
    alike = " AND ".join(f"b.{quoted(key)} = a.{quoted(key)}" for key in keys)
    images = f"b.{_ROW} AS one, a.{_ROW} AS other, b.{_SHOWN} AND a.{_SHOWN} AS seen"
    which = f"b.{quoted(CHANGE)} = {text(BEFORE)} AND a.{quoted(CHANGE)} = {text(AFTER)}"
    pairs = f"SELECT {images} FROM changed b JOIN changed a ON {alike} WHERE {which}"  # noqa: S608 - quoted
    database.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS {pairs}")
    (paired,) = _one(database, "SELECT count(*) FROM pairs")
    (before,) = _one(database, f"SELECT count(*) FROM changed WHERE {quoted(CHANGE)} = {text(BEFORE)}")  # noqa: S608
    database.execute("DELETE FROM pairs WHERE NOT seen")
    return bool(paired == before)


def _tells(database: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a column's values before are all different, none is null, and they are the same ones after."""
    images = ", ".join(
        f"count(*) FILTER ({quoted(CHANGE)} = {text(image)}), "
        f"count(DISTINCT {quoted(name)}) FILTER ({quoted(CHANGE)} = {text(image)})"
        for image in (BEFORE, AFTER)
    )
    before, distinct, after, others = _one(database, f"SELECT {images} FROM changed")  # noqa: S608 - quoted
    if not before == distinct == after == others:
        return False
    of = f"SELECT {quoted(name)} FROM changed WHERE {quoted(CHANGE)} = "  # noqa: S608 - quoted
    (left,) = _one(database, f"SELECT count(*) FROM ({of}{text(BEFORE)} EXCEPT {of}{text(AFTER)})")  # noqa: S608
    return bool(left == 0)


def _one(database: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    return database.execute(sql).fetchone() or ()
