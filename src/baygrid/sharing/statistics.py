"""What a written file's rows lie between, as Delta's protocol writes it ("Per-file Statistics"): numRecords,
minValues, maxValues, nullCount. Always of what is shown: the file is all that this is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from baygrid.ports.reader import Column
from baygrid.sharing.types import quoted

LONGEST: Final = 32
"""Characters of a text, as Delta has them: a least one is cut, a greatest one is rounded up."""
_LAST: Final = "\U0010ffff"
_MILLISECOND: Final = timedelta(milliseconds=1)


def statistics(
    columns: Sequence[Column], rows: int, found: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """`found`: what DuckDB tells of a file that it wrote (COPY with RETURN_STATS). Nested columns have
    none."""
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for column in columns:
        told = found.get(quoted(column.name))
        if told is None:
            continue
        nulls[column.name] = int(told["null_count"])
        bounds = _bounds(column.type, told)
        if bounds is not None:
            least[column.name], greatest[column.name] = bounds
    return {"numRecords": rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}


def _bounds(type_: str, told: Mapping[str, str]) -> tuple[Any, Any] | None:
    """None: nothing is known, or the type has no order that all readers share."""
    if "min" not in told or "max" not in told or told.get("has_nan") == "true":
        return None
    least, greatest = told["min"], told["max"]
    if type_ == "string":
        return _cut(least, greatest)
    if type_.startswith(("int", "decimal")):
        return _number(least), _number(greatest)
    if type_ in ("double", "float"):
        values = float(least), float(greatest)
        return values if abs(values[0]) < float("inf") > abs(values[1]) else None
    if type_.startswith("timestamp"):
        return _instants(least, greatest, "Z" if "tz" in type_ else "")
    if type_ == "date32[day]" and "infinity" not in least + greatest and "(BC)" not in least:
        return least, greatest
    return None


def _number(text: str) -> Any:
    return json.loads(text, parse_float=float)


def _cut(least: str, greatest: str) -> tuple[str, str]:
    return least[:LONGEST], greatest if len(greatest) <= LONGEST else greatest[:LONGEST] + _LAST


def _instants(least: str, greatest: str, zone: str) -> tuple[str, str] | None:
    """To the millisecond, outwards."""
    try:
        first, last = (datetime.fromisoformat(_iso(text)) for text in (least, greatest))
    except ValueError:  # infinity, or before the year 1
        return None
    if last.microsecond % 1000:
        last += _MILLISECOND
    return tuple(
        f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}{zone}" for at in (first, last)
    )  # type: ignore[return-value]


def _iso(text: str) -> str:
    return text.removesuffix("+00")
