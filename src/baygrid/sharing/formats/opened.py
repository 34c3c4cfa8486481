"""A source's table, whatever its format, wherever it lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from baygrid.ports.reader import Format, ReadFailed, Source
from baygrid.sharing.formats.csv import Csv
from baygrid.sharing.formats.delta import Delta
from baygrid.sharing.formats.parquet import Parquet
from baygrid.sharing.formats.table import Table
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.places.blobs import BLOB, Blob
from baygrid.sharing.places.buckets import Bucket, client_of
from baygrid.sharing.places.folders import folder
from baygrid.sharing.places.place import Place

_FILE: Final = re.compile(r"file://(/[^?#]+)")


@contextmanager
def opened(source: Source, allowed: Allowed, scratch: Path, version: int | None = None) -> Iterator[Table]:
    """`scratch`: where the table may keep what it copies; it is not there yet. Raises ReadFailed."""
    scratch.mkdir()
    with ExitStack() as stack:
        yield _table(source, allowed, scratch, version, stack)


def _table(source: Source, allowed: Allowed, scratch: Path, version: int | None, stack: ExitStack) -> Table:
    if version is not None and source.format is not Format.DELTA:
        raise ReadFailed(f"only a Delta table has versions, this is {source.format}")
    if source.format is Format.POSTGRESQL:
        from baygrid.sharing.formats.postgresql import PostgreSQL  # its driver takes long to load

        return PostgreSQL(source, allowed)
    place = _place(source, allowed, stack)
    if source.format is Format.DELTA:
        return Delta(place, scratch, version)
    if source.format is Format.CSV:
        return Csv(place, scratch, source.columns)
    return Parquet(place)


def _place(source: Source, allowed: Allowed, stack: ExitStack) -> Place:
    if match := _FILE.fullmatch(source.uri):
        return folder(unquote(match[1]), allowed.roots)
    if match := BLOB.fullmatch(source.uri):
        return Blob(match[1], allowed.objects)
    if source.uri.startswith("s3://"):
        client = stack.enter_context(client_of(source.uri, source.secrets or {}, allowed))
        return Bucket(source.uri, client)
    shown = source.uri.partition("?")[0][:200]
    raise ReadFailed(f"{shown} is no address of a {source.format} table: file:///..., s3://... or blob:...")
