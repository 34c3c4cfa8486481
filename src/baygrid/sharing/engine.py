"""DuckDB as it is used here: shut in, with bounds, the same answers on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from baygrid.ports.reader import ReadFailed


@dataclass(frozen=True, slots=True)
class Bounds:
    """`memory`: bytes that DuckDB may hold before it goes to the disk below `scratch`, of which it takes at
    most `disk` bytes. `seconds`: of one reading, wall clock."""

    memory: int = 1 << 30
    disk: int = 64 << 30
    threads: int = 2
    seconds: float = 1_800.0


STANDARD: Final = Bounds()


def connect(bounds: Bounds, scratch: Path, *writable: Path) -> duckdb.DuckDBPyConnection:
    """A database of its own in memory. It reads and writes no file but below `scratch` and `writable`, loads
    nothing, and nobody can change that any more. What depends on a time zone is in UTC."""
    settings = {
        "memory_limit": f"{bounds.memory}B",
        "threads": bounds.threads,
        "temp_directory": str(scratch),
        "max_temp_directory_size": f"{bounds.disk}B",
    }
    return _shut(duckdb.connect(config=_SETTINGS | settings), writable)


def binder() -> duckdb.DuckDBPyConnection:
    """A database that reads nothing at all: to ask what type an expression has."""
    return _shut(duckdb.connect(config=_SETTINGS | {"memory_limit": "64MB", "threads": 1}), ())


_SETTINGS: Final[dict[str, Any]] = {
    "preserve_insertion_order": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


def _shut(connection: duckdb.DuckDBPyConnection, writable: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    connection.execute("SET TimeZone = 'UTC'")
    if writable:
        connection.execute("SET allowed_directories = ?", [[str(path) for path in writable]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


class OutOfRoom(ReadFailed):
    """More threads hold more: with one it may do."""


@contextmanager
def told() -> Iterator[None]:
    """DuckDB's and Arrow's errors in our words: theirs quote values of rows that nobody may see."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise OutOfRoom("it needs more memory or disk than one reading may have: share less of it") from None
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        cure = "use TRY_CAST, CASE or NULLIF"
        raise ReadFailed(f"the filter or a mask fails on a row ({type(error).__name__}): {cure}") from None
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise ReadFailed(f"reading it failed ({type(error).__name__})") from None
