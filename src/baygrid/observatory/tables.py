"""A registry as columns, to be counted: four tables and the zones.

Its plain form is read fast here and not reviewed, which is what `baygrid registry import` is for: a value
that is no date, number or truth ends the reading with its file and row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv

from baygrid.core.reading import DocumentError
from baygrid.core.region.bodies import Zone
from baygrid.core.region.rows import FILES, ZONES
from baygrid.observatory.zones import read_zones

_TEXT, _DAY, _TRUTH, _DEGREES = pa.string(), pa.date32(), pa.bool_(), pa.float64()
TABLES: Final[Mapping[str, Mapping[str, pa.DataType]]] = {
    "bodies": {"id": _TEXT, "kind": _TEXT, "founded": _DAY, "dissolved": _DAY, "synthetic": _TRUTH},
    "addresses": {
        "body": _TEXT, "since": _DAY, "until": _DAY, "lon": _DEGREES, "lat": _DEGREES, "district": _TEXT,
    },
    "labels": {"body": _TEXT, "kind": _TEXT, "value": _TEXT, "since": _DAY, "until": _DAY, "by": _TEXT},
    "returns": {
        "body": _TEXT, "population": _TEXT, "zone": _TEXT, "period": _TEXT, "measure": _TEXT,
        "value": pa.decimal128(38, 6), "unit": _TEXT, "source": _TEXT, "received": _DAY,
    },
}  # fmt: skip
"""The columns that indicators are counted from. A table may have more."""


class BadRegistry(ValueError):
    """A registry cannot be read; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Registry:
    """`tables`: by the names of `TABLES`, with its columns. A missing text is null."""

    tables: Mapping[str, pa.Table]
    zones: tuple[Zone, ...]


def read(folder: Path) -> Registry:
    """The plain form in a folder. Raises BadRegistry."""
    tables = {name: _table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    path = folder / ZONES
    try:
        return Registry(tables, tuple(read_zones(path.read_bytes())))
    except FileNotFoundError:
        raise _missing(path) from None
    except DocumentError as error:
        raise BadRegistry(f"{path}: {error}") from None


def of_values(
    bodies: Iterable[Any],
    addresses: Iterable[Any],
    labels: Iterable[Any],
    returns: Iterable[Any],
    zones: Iterable[Zone],
) -> Registry:
    """Of the values of `core.region.bodies`."""
    given = {"bodies": bodies, "addresses": addresses, "labels": labels, "returns": returns}
    return Registry(
        {name: _columns(list(given[name]), columns) for name, columns in TABLES.items()}, tuple(zones)
    )


def _columns(values: list[Any], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table(
        {name: pa.array([_cell(getattr(it, name)) for it in values], kind) for name, kind in columns.items()}
    )


def _cell(value: object) -> object:
    return None if value == "" else value


def _table(path: Path, columns: Mapping[str, pa.DataType]) -> pa.Table:
    converting = csv.ConvertOptions(
        column_types=columns, include_columns=list(columns), null_values=[""], strings_can_be_null=True,
        quoted_strings_can_be_null=True, true_values=["true"], false_values=["false"],
    )  # fmt: skip
    try:
        return csv.read_csv(
            path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=converting
        )
    except FileNotFoundError:
        raise _missing(path) from None
    except (pa.ArrowException, KeyError) as error:
        raise BadRegistry(f"{path}: {error.args[0]}") from None


def _missing(path: Path) -> BadRegistry:
    return BadRegistry(f"{path} is not there: a registry is a folder with {', '.join(FILES)}")
