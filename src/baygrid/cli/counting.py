"""Figures of a registry in files, counted here without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from baygrid.cli.errors import CliError

if TYPE_CHECKING:
    from baygrid.observatory.tables import Registry

_CORRECT = "correct the file; `baygrid registry import` names every row that does not fit"


@contextmanager
def counting(folder: Path) -> Iterator[tuple[ModuleType, Registry]]:
    """`observatory.indicators`, and the registry that it counts. What they raise becomes CliError."""
    try:
        from baygrid.observatory import indicators, tables
        from baygrid.observatory.asked import Unanswerable
    except ImportError as missing:
        cure = "pip install 'baygrid[observatory]'"
        raise CliError(f"the package {missing.name} is missing", code="no-package", cure=cure) from None
    try:
        yield indicators, tables.read(folder)
    except tables.BadRegistry as error:
        raise CliError(str(error), code="bad-registry", cure=_CORRECT) from None
    except Unanswerable as error:
        raise CliError(str(error), code="no-figure") from None
