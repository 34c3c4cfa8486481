"""`baygrid sql`: SQL over what contracts let a project read."""

import csv
import io
import json
import sys
from datetime import date, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import OwnProject
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


def register(app: typer.Typer) -> None:
    command(app, "sql")(sql)


def sql(
    session: Session,
    query: Annotated[str, typer.Argument(metavar="SELECT", help="In DuckDB's dialect; - is stdin.")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many at most.")] = 1_000,
    project: OwnProject = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    arrow: Annotated[
        Path | None, typer.Option("--arrow", metavar="FILE", help="Into a file, as an Arrow IPC stream.")
    ] = None,
) -> None:
    """Ask shared tables by SQL; they are named SHARE.SCHEMA.TABLE, or by the end of that.

    A project or a table with a hyphen in its name stands in double quotes."""
    if as_csv and (session.json or arrow is not None):
        raise CliError(
            "the rows can be had in one form only",
            code="invalid",
            cure="give one of --csv, --json and --arrow",
        )
    text = sys.stdin.read() if query == "-" else query
    from baygrid.client.rows import gathered, stream

    pieces = stream(session.client, text, rows, project)
    if arrow is not None:
        said = {"file": str(arrow), "bytes": _save(pieces, arrow)}
        session.out.answer(said, f"{said['bytes']} bytes in {arrow}")
        return
    answer, told = gathered(pieces)
    table = answer.arrow
    if session.json:
        session.out.json({**told, "columns": table.column_names, "rows": _finite(_plain(table))})
        return
    if as_csv:
        session.out.line(_csv(table).removesuffix("\n"))
    else:
        session.out.table(
            table.column_names, [list(map(_shown, row)) for row in _plain(table)], _numbers(table)
        )
    if told.get("more"):
        session.out.note(f"there are more than these {table.num_rows} rows: ask for them with --rows")
    if told.get("withheld"):
        session.out.note(f"{told['withheld']} groups are of too few persons to be shown")


def _save(pieces: "Iterator[bytes]", file: Path) -> int:
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            size = sum(map(out.write, pieces))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return size


def _plain(table: "pa.Table") -> list[list[Any]]:
    """Row by row (columns may have the same name), as JSON has it."""
    columns = [[_value(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, dict):
        return {key: _value(each) for key, each in value.items()}
    if isinstance(value, date | time):
        return value.isoformat()
    return _duration(value) if hasattr(value, "nanoseconds") else str(value)


def _duration(interval: Any) -> str:
    """Months, days and nanoseconds as ISO 8601 has it, 4.4.3.2; each with its own sign."""
    years, months = divmod(abs(interval.months), 12)
    sign = "-" if interval.months < 0 else ""
    seconds = Decimal(interval.nanoseconds).scaleb(-9)
    parts = (
        (f"{sign}{years}", "Y", years),
        (f"{sign}{months}", "M", months),
        (f"{interval.days}", "D", interval.days),
    )
    day = "".join(f"{text}{letter}" for text, letter, it in parts if it)
    clock = f"T{seconds.normalize():f}S" if seconds or not day else ""
    return f"P{day}{clock}"


def _finite(value: Any) -> Any:
    """JSON knows neither NaN nor infinity: they are null."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else str(value)


def _csv(table: "pa.Table") -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows([list(map(_shown, row)) for row in _plain(table)])
    return text.getvalue()


def _numbers(table: "pa.Table") -> list[str]:
    import pyarrow as pa

    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return [field.name for field in table.schema if any(kind(field.type) for kind in kinds)]
