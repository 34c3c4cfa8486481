"""What reads tables of the catalogue, of the operator's rules."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from baygrid.ports.reader import Reader
from baygrid.store.objects import open_objects
from baygrid.wiring.staging import rules_of


def reader_of(state: Path, rules: Path | None, objects: str) -> Reader | None:
    """None where the extra `data` is not installed. `state`: for what does not fit into memory. `rules`: a
    file as of centres; of its folders those that are for all projects hold tables. Raises ValueError for a
    file that states none."""
    read = rules_of(rules)
    if any(find_spec(name) is None for name in ("duckdb", "deltalake", "pyarrow", "sqlglot")):
        return None
    from baygrid.sharing.places.allowed import Allowed
    from baygrid.sharing.tables import Tables

    roots = tuple(Path(folder.path) for folder in read.folders if not folder.projects)
    return Tables(state, Allowed(roots, read, partial(open_objects, objects)))
