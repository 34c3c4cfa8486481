"""Rows of a CSV trace, with errors that name the line and the cure."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from baygrid.replay.outcome import BadTrace


def rows(trace: Path, fields: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with its line number. Raises BadTrace where the file, a column or all rows are missing."""
    try:
        with trace.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in fields if name not in (reader.fieldnames or ())]
            if missing:
                raise BadTrace(f"{trace}, line 1: no column {', '.join(missing)}: name the columns there")
            empty = True
            for row in reader:
                empty = False
                if any(row[name] is None for name in fields):
                    raise BadTrace(f"{trace}, line {reader.line_num}: too few values: one for each column")
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadTrace(f"{trace}: not to be read as CSV text: {error}") from error
    if empty:
        raise BadTrace(f"{trace}: no rows: one a line is needed under the names of the columns")


def number(
    trace: Path,
    line: int,
    row: Mapping[str, str],
    field: str,
    *,
    whole: bool = False,
    least: float = 0,
    most: float = math.inf,
) -> float:
    """A value as a finite number from `least` to `most`."""
    text = row[field].strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not least <= value <= most or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        limits = f"from {least:g} up" if most == math.inf else f"from {least:g} to {most:,}"
        raise BadTrace(f"{trace}, line {line}: {field} is {text[:40]!r}: write {kind} {limits}")
    return value
