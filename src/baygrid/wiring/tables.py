"""What reads tables of the catalogue, of the operator's rules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

from baygrid.ports.reader import Reader
from baygrid.staging.rules import Rules
from baygrid.store.objects import open_objects
from baygrid.wiring.staging import rules_of

_NEEDS: Final = ("botocore", "deltalake", "duckdb", "pyarrow", "sqlglot")


def reader_of(state: Path, rules: Path | None, objects: str) -> Reader | None:
    """None where the extra `data` is not installed. `state`: for what does not fit into memory. `rules`: a
    file as of centres; of its folders those that are for all projects hold tables. Raises ValueError for a
    file that states none."""
    read = rules_of(rules)
    if any(find_spec(name) is None for name in _NEEDS):
        return None
    return cast(Reader, _Later(partial(_tables, state, read, objects)))


def _tables(state: Path, rules: Rules, objects: str) -> Reader:
    from baygrid.sharing.places.allowed import Allowed
    from baygrid.sharing.tables import Tables

    roots = tuple(Path(folder.path) for folder in rules.folders if not folder.projects)
    return Tables(state, Allowed(roots, rules, partial(open_objects, objects)))


class _Later:
    """A reader that is made when something is read for the first time: DuckDB and what belongs to it take a
    second to load, and 100 MiB, which many servers never need."""

    def __init__(self, make: Callable[[], Reader]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: Reader | None = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)
