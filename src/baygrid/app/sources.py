"""Tables of the catalogue as the reader takes them: with where a dataset is, and with the opened secret."""

from __future__ import annotations

import json
from typing import Final

from baygrid.app.inputs import find_dataset
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem, WrongState
from baygrid.app.secrets import opened
from baygrid.core.jobs.addresses import DATASET, dataset
from baygrid.ports.data import TableRow
from baygrid.ports.reader import Format, Reader, Source
from baygrid.ports.store import Tx

_KEYS: Final = {Format.POSTGRESQL: ("user", "password")}
_OF_FILES: Final = ("key", "secret", "endpoint", "region")


class NoReader(Problem):
    status, code, title = 503, "no-reader", "This server reads no tables"


class Unreadable(Problem):
    status, code, title = 422, "unreadable", "The table cannot be read"


def reader_of(platform: Platform) -> Reader:
    """Raises NoReader."""
    if platform.reader is None:
        raise NoReader(
            "it was installed without what reads them: `pip install baygrid[data]` and start it again"
        )
    return platform.reader


def source_of(platform: Platform, tx: Tx, row: TableRow) -> Source:
    """Raises WrongState where its secret is gone or is not what such a source needs, NoVault."""
    uri = row.uri
    if uri.startswith(DATASET):
        found = find_dataset(tx, row.project, dataset(uri))
        assert found is not None, "no version of a dataset is ever removed"
        uri = found.uri
    secrets = None if row.secret is None else _secret(platform, tx, row, row.secret)
    return Source(row.format, uri, row.table, secrets, row.columns or None)


def _secret(platform: Platform, tx: Tx, row: TableRow, name: str) -> dict[str, str]:
    value = opened(platform, tx, row.project, name)
    known = _KEYS.get(row.format, _OF_FILES)
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    if (
        not isinstance(document, dict)
        or set(document) - set(known)
        or not all(isinstance(each, str) for each in document.values())
    ):
        # What it says instead is nobody's business.
        form = ", ".join(f'"{key}": "..."' for key in known)
        raise WrongState(f"secret {name} must be JSON such as {{{form}}}: set it again")
    return document
